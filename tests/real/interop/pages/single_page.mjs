// A single-page application of nobody's: oauth4webapi in a browser, as a client without a secret.
//
// The tenant's true host can't be reached from here, so that the library gets a `fetch` that asks the tenant's address.

import * as oauth from "oauth4webapi";

const given = JSON.parse(document.querySelector("#given").textContent);
const client = { client_id: given.client_id };
const redirectUri = `${location.origin}/`;
const way = {
  [oauth.customFetch]: (url, { method, headers, body, signal }) => {
    const { pathname, search } = new URL(url);
    return fetch(given.tenant + pathname + search, { method, headers, body, signal });
  },
};

const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, way));

async function leave() {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  sessionStorage.setItem("flow", JSON.stringify({ verifier, state, nonce }));
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    response_type: "code",
    response_mode: "fragment",
    redirect_uri: redirectUri,
    scope: "openid profile email offline_access User.Read",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).toString();
  location.assign(url);
}

async function comeBack(answer) {
  const { verifier, state, nonce } = JSON.parse(sessionStorage.getItem("flow"));
  const parameters = oauth.validateAuthResponse(server, client, answer, state);
  const redeemed = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirectUri, verifier, way,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, redeemed, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, redeemed, way);
  const again = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, way);
  const fresh = await oauth.processRefreshTokenResponse(server, client, again);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const asked = await oauth.userInfoRequest(server, client, fresh.access_token, way);
  const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, asked);
  const me = await oauth.protectedResourceRequest(
    fresh.access_token, "GET", new URL("https://graph.microsoft.com/v1.0/me"), new Headers(), null, way,
  );
  return { claims, userinfo, me: await me.json(), scope: fresh.scope };
}

const answer = new URLSearchParams(location.hash.slice(1));
if (answer.has("code")) {
  const result = await comeBack(answer).catch((error) => ({ failed: String(error), cause: String(error.cause) }));
  document.querySelector("#result").textContent = JSON.stringify(result);
} else {
  await leave();
}
