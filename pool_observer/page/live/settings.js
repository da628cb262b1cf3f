// Settings.

function settingsOf(pool) {
  const facts = [];
  const { settings, totals } = pool;
  if (settings) {
    const driver = [settings.dialect, settings.driver].filter(Boolean).join("+");
    const value = (setting, unit = "") => (setting === null ? "none" : `${setting}${unit}`);
    facts.push(["pool", settings.pool_class], ["dialect", driver], ["size", value(settings.size)],
      ["max_overflow", settings.max_overflow === -1 ? "unlimited" : value(settings.max_overflow)],
      ["timeout", value(settings.timeout, " s")],
      ["recycle", settings.recycle === -1 ? "none" : value(settings.recycle, " s")],
      ["pre_ping", settings.pre_ping === null ? "unknown" : settings.pre_ping ? "on" : "off"]);
  }
  if (pool.event_loop.lag_seconds !== null) {
    facts.push(["event loop late by", duration(pool.event_loop.lag_seconds)]);
  }
  facts.push(["checkouts", totals.checkouts], ["time-outs", totals.timed_out],
    ["failed", totals.failed ?? 0], ["overdue", totals.overdue], ["lost", totals.lost]);
  if (totals.internal_errors) facts.push(["internal errors of pool_observer", totals.internal_errors]);
  if (totals.dropped_events) facts.push(["events not counted", totals.dropped_events]);
  if (pool.unseen) facts.push(["taken before pool_observer was there", pool.unseen]);
  return facts;
}
