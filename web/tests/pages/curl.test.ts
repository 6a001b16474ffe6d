import { expect, it } from "vitest";
import { curlLine } from "@/pages/events/curl";

const origin = "https://grow.test";

it("follows one's own stream, with the key left to the environment", () => {
  expect(curlLine({ origin, thread: "", from: undefined })).toBe(
    'curl -N -H "Authorization: Bearer $GROWQR_KEY" "https://grow.test/api/v1/actors/me/events"',
  );
});

it("begins with the event of a permalink, in the thread that is shown", () => {
  expect(curlLine({ origin, thread: "thr_1", from: 20 })).toContain(
    '"https://grow.test/api/v1/threads/thr_1/events?after=19"',
  );
});
