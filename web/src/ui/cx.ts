import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

/** Class names; of those that contradict each other the last one wins. */
export function cx(...classes: ClassValue[]): string {
  return twMerge(clsx(classes));
}
