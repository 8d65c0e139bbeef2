// npm's oauth4webapi, which does nothing by itself: each step of the code flow is called, and judged by the library.

import * as oauth from "oauth4webapi";

import { ask, given, mappedFetch, run } from "./conversation.mjs";

await run(async () => {
  const way = { [oauth.customFetch]: mappedFetch };
  const issuer = new URL(given.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, way));
  const client = { client_id: given.client_id };
  const proof = oauth.ClientSecretBasic(given.secret);

  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: given.client_id,
    response_type: "code",
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).toString();
  const { callback } = await ask({ open: url.href });
  const parameters = oauth.validateAuthResponse(server, client, new URL(callback), state);

  const redeemed = await oauth.authorizationCodeGrantRequest(
    server, client, proof, parameters, given.redirect_uri, verifier, way,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, redeemed, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, redeemed, way);
  const claims = oauth.getValidatedIdTokenClaims(tokens);

  const again = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token, way);
  const fresh = await oauth.processRefreshTokenResponse(server, client, again);
  const asked = await oauth.userInfoRequest(server, client, fresh.access_token, way);
  const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, asked);
  return { claims, scope: fresh.scope, userinfo };
});
