/** A schedule in a few words, where it is one of the usual ones; else as it is written. */
export function scheduleText(schedule: string): string {
  const named: Record<string, string> = {
    "@once": "once",
    "@hourly": "every hour",
    "@daily": "every day",
    "@weekly": "every week",
    "@monthly": "every month",
    "@yearly": "every year",
  };
  const text = schedule.trim();
  if (named[text]) return named[text];
  const fields = text.split(/\s+/);
  if (fields.length !== 5) return text;
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  if (month !== "*" || day !== "*" || weekday !== "*") return text;
  const every = /^\*\/(\d+)$/;
  if (hour === "*") {
    if (minute === "*") return "every minute";
    const n = every.exec(minute)?.[1];
    if (n) return `every ${n} minutes`;
    if (minute === "0") return "every hour";
    return /^\d+$/.test(minute) ? `every hour at :${minute.padStart(2, "0")}` : text;
  }
  const hours = every.exec(hour)?.[1];
  if (hours && minute === "0") return `every ${hours} hours`;
  if (/^\d+$/.test(hour) && /^\d+$/.test(minute))
    return `daily at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  return text;
}
