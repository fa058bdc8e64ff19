//! How long a failed task waits for its next try.

use std::time::Duration;

use crate::dag::RetryPolicy;

/// No delay grows beyond a day: Airflow's `MAX_RETRY_DELAY`.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait after try number `try_number` (from 1).
///
/// With a backoff the delay is multiplied once per try, and up to as much again is added so that
/// tasks that failed together do not come back together. The addition follows from `seed` alone, so
/// that the same try always waits equally long.
pub(super) fn retry_delay(policy: &RetryPolicy, try_number: u32, seed: &str) -> Duration {
    let mut delay = policy.delay;
    if policy.backoff > 1.0 {
        let exponent = i32::try_from(try_number.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = policy.delay.as_secs_f64() * policy.backoff.powi(exponent);
        let spread = grown * (1.0 + fraction(&format!("{seed}#{try_number}")));
        delay = Duration::from_secs_f64(spread.min(RETRY_DELAY_MAX.as_secs_f64()));
    }
    delay.min(policy.delay_max.unwrap_or(delay))
}

/// A number in `0..1` that follows from a text (FNV-1a).
fn fraction(text: &str) -> f64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The high bits are the well mixed ones.
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_doubles_with_a_spread_and_ends_at_its_limit() {
        let secs = Duration::from_secs;
        let policy = RetryPolicy { retries: 9, delay: secs(2), backoff: 2.0, delay_max: None };
        for (try_number, least) in [(1, 2), (2, 4), (3, 8), (10, 1024)] {
            let delay = retry_delay(&policy, try_number, "dag#task#2026");
            assert!(delay >= secs(least) && delay < secs(least * 2), "{try_number}: {delay:?}");
            assert_eq!(delay, retry_delay(&policy, try_number, "dag#task#2026"));
        }
        assert_ne!(retry_delay(&policy, 1, "a"), retry_delay(&policy, 1, "b"));
        assert_eq!(retry_delay(&policy, 4_000_000_000, "a"), RETRY_DELAY_MAX);
        let capped = RetryPolicy { delay_max: Some(secs(5)), ..policy };
        assert_eq!(retry_delay(&capped, 10, "a"), secs(5));
        let constant = RetryPolicy { backoff: 1.0, ..policy };
        assert_eq!(retry_delay(&constant, 10, "a"), secs(2));
    }
}
