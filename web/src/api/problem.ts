/** What went wrong with a request, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly requestId: string | null,
    readonly facts: Record<string, unknown> = {},
    /** When to try again, ms since 1970; null where the instance did not say. */
    readonly retryAt: number | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(
    status: number,
    body: unknown,
    requestId: string | null,
    retryAt: number | null = null,
  ): Problem {
    if (typeof body === "object" && body !== null && "code" in body) {
      const facts = body as Record<string, unknown>;
      const id = typeof facts.request_id === "string" ? facts.request_id : requestId;
      return new Problem(
        status,
        String(facts.code),
        String(facts.detail ?? facts.code),
        id,
        facts,
        retryAt,
      );
    }
    if (status === 0) return new Problem(0, "offline", "The instance cannot be reached.", null);
    return new Problem(status, "http", `The instance answered ${status}.`, requestId, {}, retryAt);
  }
}

/** Any thrown thing as a Problem, for one way of showing errors. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "internal", error instanceof Error ? error.message : String(error), null);
}
