/** English locales differ in which zones they abbreviate; Java knows an abbreviation for each of these. */
const locales = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-NZ', 'en-ZA'];

/** Zones that no English locale abbreviates mostly go by their initials (`JST`); these do not. */
const unlikeInitials: { readonly [name: string]: string } = {
  'Moscow Standard Time': 'MSK',
  'Brasilia Standard Time': 'BRT',
  'Singapore Standard Time': 'SGT',
  'Hong Kong Standard Time': 'HKT',
  'Argentina Standard Time': 'ART',
};

/** `Thu Jan 01 00:00:00 UTC 1970`, as java.util.Date prints in the machine's time zone. */
export function javaDate(wallMs: number): string {
  const date = new Date(wallMs);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  const time = date.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${day} ${time} ${zoneOf(date)} ${year}`;
}

/** `11/28/26, 1:08:26 AM UTC`, as DateFormat prints in its short style with a long time. */
export function shortJavaDate(wallMs: number): string {
  const date = new Date(wallMs);
  const year = String(date.getFullYear() % 100).padStart(2, '0');
  return `${date.getMonth() + 1}/${date.getDate()}/${year}, ${halfDayTime(date)} ${zoneOf(date)}`;
}

/** `Nov 28, 2026, 1:08:26 AM`, as DateFormat prints in its default style. */
export function mediumJavaDate(wallMs: number): string {
  const date = new Date(wallMs);
  const month = date.toDateString().split(' ')[1];
  return `${month} ${date.getDate()}, ${date.getFullYear()}, ${halfDayTime(date)}`;
}

function halfDayTime(date: Date): string {
  const rest = date.toTimeString().slice(2, 8);
  return `${date.getHours() % 12 || 12}${rest} ${date.getHours() < 12 ? 'AM' : 'PM'}`;
}

function zoneOf(date: Date): string {
  for (const locale of locales) {
    const zone = zoneName(date, locale, 'short');
    if (/^[A-Z]+$/.test(zone)) return zone;
  }
  const name = zoneName(date, 'en-US', 'long');
  if (!name.endsWith(' Time')) return name;
  return unlikeInitials[name] ?? name.replace(/\B\w+|\s/g, '');
}

function zoneName(date: Date, locale: string, timeZoneName: 'short' | 'long'): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZoneName }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}
