import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { ask, createThread, newKey } from "@/api";
import { stream } from "@/stream";
import { closeOverlay, returnFocus, useOverlay } from "./overlays";
import { TitleDialog } from "./threads/TitleDialog";

/** Begins a conversation beside the master thread, and opens it. */
export default function NewThread() {
  const open = useOverlay() === "new-thread";
  return open && <Asked />;
}

function Asked() {
  const navigate = useNavigate();
  const key = useRef({ title: "", key: "" });
  const save = async (title: string) => {
    // The same title again, after a failure, is the same thread: it is not made twice.
    if (key.current.title !== title) key.current = { title, key: newKey() };
    const headers = { "Idempotency-Key": key.current.key };
    const { seq } = stream.getView();
    const thread = await ask(createThread({ body: { title }, headers }));
    stream.addThreads([thread], seq);
    navigate({ to: "/app/chat/$threadId", params: { threadId: thread.id } });
  };
  return (
    <TitleDialog
      heading="New thread"
      yes="Begin"
      save={save}
      onClose={closeOverlay}
      onCloseAutoFocus={returnFocus}
    />
  );
}
