// Asks the gateway with the admin key, which is kept for this tab alone.

const KEPT = "tollhouse-admin-key";

export const key = {
  get: () => sessionStorage.getItem(KEPT),
  set: (value) => sessionStorage.setItem(KEPT, value),
  forget: () => sessionStorage.removeItem(KEPT),
};

// A refusal, with its code and what it says.
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `the gateway answered ${status}`);
    this.status = status;
    this.code = body?.error?.code;
  }
}

async function reply(path, signal) {
  const answer = await fetch(path, {
    headers: { authorization: `Bearer ${key.get() ?? ""}` },
    credentials: "omit",
    cache: "no-store",
    signal,
  });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => undefined));
  return answer;
}

export const ask = async (path, signal) => (await reply(path, signal)).json();

// Saves what is at a path as a file: a link could not send the key.
export async function save(path, name) {
  const url = URL.createObjectURL(await (await reply(path)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
