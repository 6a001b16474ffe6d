import { useNavigate } from "@tanstack/react-router";
import { ask, logOut } from "@/api";
import { stream } from "@/stream";
import { tellProblem } from "@/ui";
import { forgetDrafts } from "./drafts";

/** Signs this browser out; what `before` does comes first, and stops it when it fails. */
export function useSignOut() {
  const navigate = useNavigate();
  return async (before?: () => Promise<void>) => {
    try {
      await before?.();
      await ask(logOut());
    } catch (error) {
      tellProblem(error);
      return;
    }
    stream.stop();
    forgetDrafts();
    navigate({ to: "/app/sign-in" });
  };
}
