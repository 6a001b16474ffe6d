import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState, useTitle } from "@/ui";

export function NotFound() {
  useTitle("No such page");
  return (
    <EmptyState
      icon={<Compass />}
      title="There is no such page"
      action={
        <Link to="/app" className="text-accent underline">
          To the chat
        </Link>
      }
    />
  );
}
