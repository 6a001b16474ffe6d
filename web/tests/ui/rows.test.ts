import { expect, test } from "vitest";
import { RowSpace } from "@/ui/rows";

test("rows of one height", () => {
  const space = new RowSpace(100, 30);
  expect([space.height, space.topOf(7)]).toEqual([3000, 210]);
  expect([0, 29, 30, 2999, 5000, -9].map((top) => space.placeAt(top))).toEqual([
    0, 0, 1, 99, 99, 0,
  ]);
  expect(space.seen(300, 90, 2)).toEqual([8, 16]);
  expect(new RowSpace(0, 30).seen(0, 600)).toEqual([0, 0]);
});

test("every pixel belongs to the row that covers it, opened ones too", () => {
  const space = new RowSpace(20, 10, [
    [3, 15],
    [4, 5],
    [19, 40],
  ]);
  expect(space.height).toBe(260);
  for (let place = 0; place < 20; place++) {
    const [top, end] = [space.topOf(place), space.topOf(place + 1)];
    expect([space.placeAt(top), space.placeAt(end - 1)], `row ${place}`).toEqual([place, place]);
  }
});
