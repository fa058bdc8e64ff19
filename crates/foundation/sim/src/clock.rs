//! A clock that moves when it is told to.

use std::time::Duration;

use parking_lot::Mutex;
use tidemill_runtime::Clock;

/// 2026-01-01T00:00:00Z, in microseconds.
const DEFAULT_START_US: i64 = 1_767_225_600_000_000;

/// Wall and monotonic time, both standing still until a test moves them.
#[derive(Debug)]
pub struct SimClock(Mutex<Times>);

#[derive(Debug)]
struct Times {
    wall_us: i64,
    monotonic: Duration,
}

impl Default for SimClock {
    /// Stands at 2026-01-01T00:00:00Z.
    fn default() -> SimClock {
        SimClock::at_us(DEFAULT_START_US)
    }
}

impl SimClock {
    /// Stands at this wall time, in microseconds since 1970.
    pub fn at_us(wall_us: i64) -> SimClock {
        SimClock(Mutex::new(Times { wall_us, monotonic: Duration::ZERO }))
    }

    /// Stands at this wall time, such as `2026-01-01T00:00:00Z`.
    ///
    /// # Panics
    /// If the text has another form: it is a constant in a test.
    pub fn at(time: &str) -> SimClock {
        SimClock::at_us(parse_utc(time))
    }

    /// Goes to this wall time. If it lies ahead, monotonic time passes as well; if it lies behind,
    /// somebody has set the machine's clock back.
    ///
    /// # Panics
    /// As [`SimClock::at`].
    pub fn set(&self, time: &str) {
        let wall_us = parse_utc(time);
        let mut times = self.0.lock();
        let passed = u64::try_from(wall_us.saturating_sub(times.wall_us)).unwrap_or(0);
        times.monotonic += Duration::from_micros(passed);
        times.wall_us = wall_us;
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut times = self.0.lock();
        times.monotonic += by;
        times.wall_us += i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    }

    /// Sets the wall clock forth or back by so many microseconds, while no time passes.
    pub fn step_wall(&self, by_us: i64) {
        self.0.lock().wall_us += by_us;
    }
}

impl Clock for SimClock {
    fn now_us(&self) -> i64 {
        self.0.lock().wall_us
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().monotonic
    }
}

/// Microseconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`.
fn parse_utc(text: &str) -> i64 {
    let form = b"0000-00-00T00:00:00Z";
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form)
            .all(|(c, f)| if *f == b'0' { c.is_ascii_digit() } else { c == *f });
    assert!(fits, "{text:?} is not a time such as 2026-01-01T00:00:00Z");
    let number = |at: usize, len: usize| -> i64 {
        text[at..at + len].bytes().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'))
    };
    let seconds = number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2);
    (days_since_1970(number(0, 4), number(5, 2), number(8, 2)) * 86_400 + seconds) * 1_000_000
}

/// Days from 1970-01-01 in the Gregorian calendar. The year begins in March, so that the leap day
/// is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in every five months, counted from March.
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1;
    const MARCH_0000_TO_1970: i64 = 719_468;
    days - MARCH_0000_TO_1970
}
