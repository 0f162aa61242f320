const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const MS_PER_DAY = 86_400_000;

/** `Mon Nov 23 15:54:25 UTC 2026`: java.util.Date's text, in UTC whatever the machine's zone. */
export function javaDate(wallMs: number): string {
  const { weekday, month, dayOfMonth, time, year } = partsOf(wallMs);
  return `${weekday} ${month} ${dayOfMonth} ${time} UTC ${year}`;
}

/** `Mon, 23 Nov 2026 15:54:25 GMT` */
export function httpDate(wallMs: number): string {
  const { weekday, month, dayOfMonth, time, year } = partsOf(wallMs);
  return `${weekday}, ${dayOfMonth} ${month} ${year} ${time} GMT`;
}

function partsOf(wallMs: number) {
  const wholeMs = Math.floor(wallMs);
  const day = Math.floor(wholeMs / MS_PER_DAY);
  const [year, month, dayOfMonth] = civil(day);
  const seconds = Math.floor((wholeMs - day * MS_PER_DAY) / 1000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  // 1970-01-01 was a Thursday.
  const weekday = days[(((day + 4) % 7) + 7) % 7];
  return { weekday, month: months[month - 1], dayOfMonth: two(dayOfMonth), time, year };
}

/** The date of a day since 1970 in the Gregorian calendar; years begin in March, so that the leap day is the last. */
function civil(day: number): [year: number, month: number, dayOfMonth: number] {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth];
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
