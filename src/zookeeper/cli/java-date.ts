/** English locales differ in which zones they abbreviate; Java knows an abbreviation for each of these. */
const locales = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-NZ', 'en-ZA'];

/** `Thu Jan 01 00:00:00 UTC 1970`, as java.util.Date prints in the machine's time zone. */
export function javaDate(wallMs: number): string {
  const date = new Date(wallMs);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  const time = date.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${day} ${time} ${zoneOf(date)} ${year}`;
}

function zoneOf(date: Date): string {
  let zone = '';
  for (const locale of locales) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date);
    zone = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]+$/.test(zone)) return zone;
  }
  return zone;
}
