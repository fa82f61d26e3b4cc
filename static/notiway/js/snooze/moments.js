// moments: until when something may be snoozed, as the reader's own clock has it; null where that makes no sense now.
const EVENING = 18; // o'clock
const MORNING = 9;
const SOON = 30 * 60_000; // ms: this evening is no choice when it is nearly there
const MONDAY = 1;

/** That hour, so many days from now: a day with a change to or from summer time is one too. */
const at = (now, days, hour) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);

export const moments = {
  hour: (now) => new Date(now.getTime() + 3_600_000),
  evening: (now) => (at(now, 0, EVENING) - now > SOON ? at(now, 0, EVENING) : null),
  tomorrow: (now) => at(now, 1, MORNING),
  monday: (now) => at(now, ((MONDAY - now.getDay() + 6) % 7) + 1, MORNING),
};

/** Those that can be chosen now, each moment once. */
export function choices(now = new Date()) {
  const found = Object.entries(moments).map(([name, moment]) => [name, moment(now)]);
  return new Map(found.filter(([, date], index) => date && found.findIndex(([, other]) => other && +other === +date) === index));
}
