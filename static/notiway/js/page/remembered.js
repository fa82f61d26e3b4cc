// remembered: a set that forgets its oldest, for what a page that stays open all day has met.
const LIMIT = 5_000; // ids: a resumed connection repeats the minute before it

/** A new set; `add` puts a value in, and the oldest out where there are too many. */
export function remembered(limit = LIMIT) {
  const values = new Set();
  return {
    has: (value) => values.has(value),
    add(value) {
      values.add(value);
      if (values.size > limit) values.delete(values.values().next().value);
    },
    get size() {
      return values.size;
    },
  };
}
