// Microsoft's MSAL for Node.js, as the sample uses it: code with PKCE, silent, a second factor on demand.

import { ConfidentialClientApplication, CryptoProvider } from "@azure/msal-node";

import { ask, given, mappedFetch, run } from "./conversation.mjs";

const network = {
  sendGetRequestAsync: (url, options) => send("GET", url, options),
  sendPostRequestAsync: (url, options) => send("POST", url, options),
};

async function send(method, url, options = {}) {
  const response = await mappedFetch(url, { method, headers: options.headers, body: options.body });
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.json() };
}

async function redeem(app, scopes, more = {}) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const common = { scopes, redirectUri: given.redirect_uri };
  const url = await app.getAuthCodeUrl({
    ...common, ...more, codeChallenge: challenge, codeChallengeMethod: "S256", state: "a state",
  });
  const { callback } = await ask({ open: url });
  const code = new URL(callback).searchParams.get("code");
  return app.acquireTokenByCode({ ...common, code, codeVerifier: verifier });
}

await run(async () => {
  const app = new ConfidentialClientApplication({
    auth: {
      clientId: given.client_id,
      clientSecret: given.secret,
      authority: given.authority,
      // An external tenant's issuer has its GUID as host, which MSAL takes for another authority unless it is told.
      knownAuthorities: [new URL(given.issuer).hostname],
    },
    system: { networkClient: network },
  });
  const first = await redeem(app, ["User.Read"]);
  const { account } = first;
  const cached = await app.acquireTokenSilent({ account, scopes: ["User.Read"] });
  const renewed = await app.acquireTokenSilent({ account, scopes: ["User.Read"], forceRefresh: true });
  const refused = await app.acquireTokenSilent({ account, scopes: [given.edit_scope] }).catch((error) => error);
  const edit = await redeem(app, [given.edit_scope], { claims: refused.claims, loginHint: account.username });
  const silent = await app.acquireTokenSilent({ account: edit.account, scopes: [given.edit_scope] });
  return {
    name: account.name,
    oid: account.localAccountId,
    cached: cached.fromCache,
    renewed: !renewed.fromCache && renewed.accessToken !== first.accessToken,
    refused: { name: refused.name, error: refused.errorCode, suberror: refused.subError, claims: refused.claims },
    edit: { scopes: edit.scopes, silent: silent.fromCache },
  };
});
