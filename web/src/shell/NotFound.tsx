import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState } from "@/ui";

export function NotFound() {
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
