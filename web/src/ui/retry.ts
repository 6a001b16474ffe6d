import type { Problem } from "@/api";

/** "Try again at 14:03:20.", where the instance said when; a clock time stays true as it stands. */
export function retryWords({ retryAt }: Problem): string | null {
  return retryAt === null ? null : `Try again at ${new Date(retryAt).toLocaleTimeString()}.`;
}
