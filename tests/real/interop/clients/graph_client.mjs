// Microsoft's Graph client for JavaScript: reads, selects, patches, and hears what it may not.

import { Client } from "@microsoft/microsoft-graph-client";

import { given, mappedFetch, run, tell } from "./conversation.mjs";

const original = globalThis.fetch;
// The client has no other door: it calls the global `fetch`, with its token for https only.
globalThis.fetch = (url, options) => {
  const { hostname } = new URL(url instanceof Request ? url.url : url);
  return hostname === "graph.microsoft.com" ? mappedFetch(url, options) : original(url, options);
};

async function refused(call) {
  const error = await call.then(() => undefined, (reason) => reason);
  return { name: error?.constructor.name, status: error?.statusCode, code: error?.code, message: error?.message };
}

await run(async () => {
  const address = given.base_url ? { baseUrl: given.base_url } : {};
  const graph = Client.init({ ...address, authProvider: (done) => done(null, given.token) });
  const me = await graph.api("/me").get();
  const patch = await graph.api("/me").patch({ "@odata.type": "#microsoft.graph.user", streetAddress: "Flat 3\nCanal Row" });
  const select = ["id", "displayName", "streetAddress", "createdDateTime"];
  const selected = await graph.api("me").select(select).header("ConsistencyLevel", "eventual").get();
  const updated = await graph.api("/me").header("Prefer", "return=representation").update({ city: "Paris" });
  tell({ patched: patch ?? null, updated: updated ?? null });
  return {
    me,
    selected,
    mail: await refused(graph.api("/me").patch({ mail: "x@example.com" })),
    property: await refused(graph.api("/me").select("shoeSize").get()),
    beta: await refused(graph.api("/me").version("beta").get()),
    batch: await refused(graph.api("/$batch").post({ requests: [] })),
  };
});
