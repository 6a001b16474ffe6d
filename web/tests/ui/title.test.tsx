// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { useTitle, useTitleCount } from "@/ui";

afterEach(cleanup);

function Tab({ title, count }: { title: string; count: number }) {
  useTitle(title);
  useTitleCount(count);
  return null;
}

test("a tab tells how many things wait, whatever page it shows", () => {
  const { rerender, unmount } = render(<Tab title="Chat" count={0} />);
  expect(document.title).toBe("Chat · growqr");
  rerender(<Tab title="Chat" count={2} />);
  expect(document.title).toBe("(2) Chat · growqr");
  rerender(<Tab title="Memory" count={2} />);
  expect(document.title).toBe("(2) Memory · growqr");
  rerender(<Tab title="Memory" count={0} />);
  expect(document.title).toBe("Memory · growqr");
  rerender(<Tab title="Memory" count={1} />);
  unmount();
  expect(document.title, "somebody else may sign in").toBe("Memory · growqr");
});
