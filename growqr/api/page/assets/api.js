// The api, asked by the browser's cookie, which no script can see.

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const AWAY = "growqr does not answer. On its machine, `growqr status` tells why.";

// The answer's JSON, null without a body. Throws Refused, with words for people.
export async function ask(path, { method = "GET", body, bearer } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new Refused(0, "away", AWAY);
  }
  if (!answer.ok) throw await refusal(answer);
  return answer.status === 204 ? null : answer.json();
}

export async function refusal(answer) {
  try {
    const problem = await answer.json();
    return new Refused(answer.status, problem.code, problem.detail);
  } catch {
    return new Refused(answer.status, "away", AWAY);
  }
}
