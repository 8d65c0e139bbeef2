// Express with express-openid-connect, sessions in Redis, and a route that passes reads on with the token.
import http from "node:http";
import { RedisStore } from "connect-redis";
import express from "express";
import openid from "express-openid-connect";
import { createProxyMiddleware } from "http-proxy-middleware";
import { createClient } from "redis";

const { BASE_URL, CLIENT_ID, CLIENT_SECRET, ISSUER, PORT, REDIS_URL, SCOPES, SIGNING_KEY, UPSTREAM } = process.env;
const client = createClient({ url: REDIS_URL });
await client.connect();

const app = express();
app.use(
  openid.auth({
    issuerBaseURL: ISSUER,
    baseURL: BASE_URL,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: SIGNING_KEY,
    authRequired: false,
    authorizationParams: { response_type: "code", response_mode: "query", scope: SCOPES },
    session: { store: new RedisStore({ client }) },
  }),
);
app.get("/api/session", (request, response) => {
  if (!request.oidc.isAuthenticated()) return response.status(401).json({ detail: "sign in" });
  response.set("Cache-Control", "no-store").json({ user: request.oidc.user });
});
app.use(
  "/api/rows",
  (request, response, next) => {
    if (!request.oidc.isAuthenticated()) return response.status(401).json({ detail: "sign in" });
    request.headers.authorization = `Bearer ${request.oidc.accessToken.access_token}`;
    delete request.headers.cookie;
    next();
  },
  createProxyMiddleware({ target: UPSTREAM, agent: new http.Agent({ keepAlive: true, maxSockets: 100 }) }),
);
app.get("/", (_request, response) => response.redirect("/api/session"));
app.listen(Number(PORT), "127.0.0.1");
