//! How long to wait before a host is asked again. Pure: knows no clock.

use std::time::Duration;

/// The most that a host can make us wait.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait after so many failures: doubling from half a second, at most ten, of which `chance` takes up to
/// half; and at least what the host asked for, within reason.
pub(crate) fn pause(failures: u32, chance: u64, asked: Option<Duration>) -> Duration {
    let longest = Duration::from_millis(250)
        .saturating_mul(1 << failures.min(6))
        .min(Duration::from_secs(10));
    let own = longest / 2 + (longest / 2).mul_f64(chance as f64 / u64::MAX as f64);
    own.max(asked.unwrap_or_default().min(LONGEST))
}

/// What `Retry-After` asks for, in seconds or as a date; `date` is the host's own.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let (until, now) = (http_date(value)?, http_date(date?)?);
            Some(Duration::from_secs(until.saturating_sub(now)))
        }
    }
}

/// What `RateLimit` asks for once nothing is left: `"name";r=0;t=30` (a draft of the IETF, as Hugging Face sends it), or
/// the older `limit=100, remaining=0, reset=30`.
pub(crate) fn rate_limit(value: &str) -> Option<Duration> {
    let fields = value.split([',', ';']).filter_map(|field| field.trim().split_once('='));
    let (mut left, mut reset) = (None, None);
    for (key, value) in fields {
        match key.trim() {
            "r" | "remaining" => left = value.trim().parse::<u64>().ok(),
            "t" | "reset" => reset = value.trim().parse().ok(),
            _ => {}
        }
    }
    reset.filter(|_| left == Some(0)).map(Duration::from_secs)
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that RFC 9110 lets a host write.
pub(crate) fn http_date(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.trim().strip_suffix(" GMT")?.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = MONTHS.find(words.next().filter(|name| name.len() == 3)?)? as u64 / 3 + 1;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let clock: Vec<u64> =
        words.next()?.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    // Days of a calendar whose years begin in March, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let within = hour < 24 && minute < 60 && second <= 60 && (1..=31).contains(&day);
    let days = days.checked_sub(719_468).filter(|_| within)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_second_to_ten() {
        let longest: Vec<u128> =
            (1..8).map(|failures| pause(failures, u64::MAX, None).as_millis()).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        let shortest: Vec<u128> =
            (1..4).map(|failures| pause(failures, 0, None).as_millis()).collect();
        assert_eq!(shortest, [250, 500, 1000]);
    }

    #[test]
    fn a_host_may_ask_for_more_but_not_for_ever() {
        let seconds = |asked| pause(1, 0, Some(Duration::from_secs(asked))).as_secs_f64();
        assert_eq!([0, 7, 86_400].map(seconds), [0.25, 7.0, 60.0]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_clock_of_the_host() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let cases = [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", date, Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", date, Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, None),
            ("soon", date, None),
            ("-1", date, None),
        ];
        for (value, date, expected) in cases {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(value, date), expected, "{value:?}");
        }
    }

    #[test]
    fn a_rate_limit_counts_once_nothing_is_left() {
        let cases = [
            ("\"api\";r=0;t=30", Some(30)),
            ("\"api\";r=5;t=30", None),
            ("limit=100, remaining=0, reset=12", Some(12)),
            ("limit=100, remaining=1, reset=12", None),
            ("r=0", None),
            ("garbage", None),
            ("r=0;t=-1", None),
        ];
        for (value, expected) in cases {
            assert_eq!(rate_limit(value), expected.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn dates_are_those_of_http() {
        let cases = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(http_date(text), expected, "{text:?}");
        }
    }
}
