import { ADMIN, PLACES, type Place } from "./pages";
import { useIsAdmin } from "./useWho";

const ALL = [...PLACES, ADMIN];

/** The pages that are for whoever is signed in. */
export function usePlaces(): Place[] {
  return useIsAdmin() ? ALL : PLACES;
}
