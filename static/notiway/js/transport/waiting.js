// waiting: pauses that end early when somebody looks at the page again, or nobody needs them any more.
const SPREAD = 0.2; // of a pause: not all pages ask at the same moment

/** Wait about so many ms; until the page is seen again, or until `signal` says that it is over. */
export function pause(ms, signal) {
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      document.removeEventListener("notiway:wake", finish);
      signal.removeEventListener("abort", finish);
      done();
    };
    const seen = () => document.hidden || finish();
    const timer = setTimeout(finish, ms * (1 + SPREAD * Math.random()));
    document.addEventListener("visibilitychange", seen);
    document.addEventListener("notiway:wake", finish);
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
}
