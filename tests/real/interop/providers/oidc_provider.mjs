// npm's oidc-provider, a certified OpenID provider, as an authority for the gateway.
//
// Configured by one JSON argument; prints the address once it listens. Its pages are plain forms without scripts, with
// inputs named as those of the local tenant, so that a program can fill them in. Two proofs: a password, and a code
// where acr_values ask for it.

import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import Provider, { interactionPolicy } from "oidc-provider";

const given = JSON.parse(process.argv[2]);
const MFA = "urn:interop:mfa";
const PASSWORD = "urn:interop:password";
const CODE = "123456";
const API = "https://api.example";
const PEOPLE = {
  "ada@example.com": { password: "Analytical-Engine-1843", name: "Ada Lovelace" },
  "grace@example.com": { password: "Compiler-A0-1952", name: "Grace Hopper" },
};

const policy = interactionPolicy.base();
policy.get("login").checks.add(
  new interactionPolicy.Check("code_wanted", "a second factor is asked for", (ctx) => {
    const wanted = ctx.oidc.params.acr_values?.split(" ").includes(MFA) && ctx.oidc.acr !== MFA;
    return wanted ? interactionPolicy.Check.REQUEST_PROMPT : interactionPolicy.Check.NO_NEED_TO_PROMPT;
  }),
);

const KEYS = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};
const { privateKey } = KEYS[given.algorithm]();
const signingKey = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: given.algorithm };

const provider = new Provider(given.issuer, {
  jwks: { keys: [signingKey] },
  cookies: { keys: ["a key of this process only"], ...(given.takes_posts && { long: { sameSite: "none" } }) },
  // Off where nobody says so, although RP-Initiated Logout wants it: a form at the end of a session is a 404 then.
  enableHttpPostMethods: given.takes_posts,
  clients: [
    {
      client_id: given.client_id,
      client_secret: given.client_secret,
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: given.algorithm,
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [given.redirect_uri],
      post_logout_redirect_uris: [given.post_logout_redirect_uri],
      backchannel_logout_uri: given.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    },
  ],
  enabledJWA: { idTokenSigningAlgValues: [given.algorithm] },
  clientDefaults: { id_token_signed_response_alg: given.algorithm },
  acrValues: [PASSWORD, MFA],
  scopes: ["openid", "offline_access"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], acr: null, auth_time: null, sid: null },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource: logoutPage },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "profile.read profile.edit",
        audience: API,
        accessTokenFormat: "jwt",
        accessTokenTTL: given.access_token_seconds,
        jwt: { sign: { alg: given.algorithm } },
      }),
    },
  },
  interactions: { policy, url: (ctx, { uid }) => `/interaction/${uid}` },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
  findAccount: (ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: PEOPLE[sub].name, preferred_username: sub }),
  }),
  // What the API reads in its tokens: how the person proved who they are, and when.
  extraTokenClaims: (ctx) => {
    const source = ctx.oidc.entities.AuthorizationCode ?? ctx.oidc.entities.RefreshToken;
    return { acr: source?.acr, auth_time: source?.authTime };
  },
  // The provider's own dispatcher refuses to call loopback addresses, which is where the gateway is here.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  // Everybody consents to everything.
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile offline_access");
    grant.addResourceScope(API, "profile.read profile.edit");
    await grant.save();
    return grant;
  },
});

function page(action, inputs) {
  return `<!doctype html><title>Sign in</title><form method="post" action="${action}">${inputs}<button type="submit">Go on</button></form>`;
}

function logoutPage(ctx, form) {
  ctx.body = `<!doctype html><title>Sign out</title>${form.replace("</form>", '<input type="hidden" name="logout" value="yes"><button type="submit">Sign out</button></form>')}`;
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

async function interaction(request, response) {
  const { uid, prompt, session } = await provider.interactionDetails(request, response);
  const wantsCode = prompt.reasons.includes("code_wanted") && session?.accountId;
  const sent = request.method === "POST" ? await body(request) : new URLSearchParams();
  const email = wantsCode ? session.accountId : sent.get("email");
  const proven = wantsCode ? sent.get("code") === CODE : email && PEOPLE[email]?.password === sent.get("password");
  if (proven) {
    const login = { accountId: email, acr: wantsCode ? MFA : PASSWORD, amr: [wantsCode ? "otp" : "pwd"] };
    await provider.interactionFinished(request, response, { login });
    return;
  }
  response.setHeader("Content-Type", "text/html");
  const action = `/interaction/${uid}`;
  response.end(page(action, wantsCode ? '<input name="code">' : '<input name="email"><input name="password">'));
}

provider.on("backchannel.error", (ctx, error) => console.error(error));
provider.on("server_error", (ctx, error) => console.error(error));
const callback = provider.callback();
const server = createServer({ key: readFileSync(given.key), cert: readFileSync(given.certificate) }, (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    callback(request, response);
    return;
  }
  interaction(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen(given.port, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
