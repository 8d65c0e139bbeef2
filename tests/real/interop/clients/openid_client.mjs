// npm's openid-client, a certified relying party, with the tenant: sign-in, refresh without scope, userinfo, sign-out.

import * as client from "openid-client";

import { ask, given, mappedFetch, run } from "./conversation.mjs";

const AUTHENTICATION = { post: client.ClientSecretPost, basic: client.ClientSecretBasic };

await run(async () => {
  const proof = AUTHENTICATION[given.authentication](given.secret);
  const config = await client.discovery(new URL(given.issuer), given.client_id, undefined, proof, {
    [client.customFetch]: mappedFetch,
    execute: [client.allowInsecureRequests], // the browser's endpoints are plain http on this machine
  });
  client.enableNonRepudiationChecks(config);

  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    max_age: "600",
  });
  const { callback } = await ask({ open: url.href });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks);
  const claims = tokens.claims();

  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  const userinfo = await client.fetchUserInfo(config, fresh.access_token, claims.sub);
  const leave = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: given.post_logout_redirect_uri,
    id_token_hint: fresh.id_token,
  });
  return { claims, scope: fresh.scope, refreshed: fresh.claims(), userinfo, leave: leave.href };
});
