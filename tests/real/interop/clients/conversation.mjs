// What the clients here share: a conversation with the test in lines of JSON, and a way to the tenant.
//
// A client is configured by one JSON argument. `ask` prints a line and waits for the answer, `tell` only prints.

import { createInterface } from "node:readline";

export const given = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Print what the test is told. */
export function tell(message) {
  console.log(JSON.stringify(message));
}

/** Print a question, and return what the test answers. */
export async function ask(message) {
  tell(message);
  return JSON.parse((await lines.next()).value);
}

/** The address at which the tenant answers for one of Microsoft's. */
export function mapped(url) {
  const asked = new URL(url);
  return asked.protocol === "https:" ? given.tenant + asked.pathname + asked.search : asked.href;
}

/** `fetch` as it is, but for the way: to the tenant instead of Microsoft's hosts. Tells every request. */
export async function mappedFetch(url, options) {
  const request = url instanceof Request ? url : new Request(url, options);
  const { method, headers } = request;
  const body = method === "GET" || method === "HEAD" ? undefined : await request.text();
  const response = await fetch(mapped(request.url), { method, headers, body, redirect: "manual" });
  tell({ asked: `${method} ${new URL(request.url).pathname}`, body, status: response.status });
  return response;
}

/** Run a client; what it throws is told, and its end. */
export async function run(client) {
  try {
    tell({ done: await client() });
  } catch (error) {
    tell({ failed: String(error?.stack ?? error), cause: error?.cause, code: error?.code, error: error?.error });
    process.exitCode = 1;
  }
  process.exit();
}
