//! Numbers in one spelling: `1`, `1.0` and `10e-1` are the same decimal.
//!
//! The form is exact whatever the size, so two different seeds never become one double.

/// Appends the canonical form of a JSON number: digits without zeros at either end, `e`, exponent.
///
/// `raw` is well formed. An exponent beyond 64 bits keeps its own spelling behind a `?`, which no
/// canonical form contains.
pub(crate) fn write_canonical(raw: &str, out: &mut Vec<u8>) {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if [whole, fraction].iter().all(|part| part.bytes().all(|digit| digit == b'0')) {
        // Zero of any sign and exponent.
        return out.push(b'0');
    }
    let trimmed = fraction.trim_end_matches('0');
    let zeros =
        if trimmed.is_empty() { whole.len() - whole.trim_end_matches('0').len() } else { 0 };
    let Some(power) = power(exponent, trimmed.len(), zeros) else {
        out.push(b'?');
        return out.extend_from_slice(raw.as_bytes());
    };
    if negative {
        out.push(b'-');
    }
    let whole = whole.get(..whole.len() - zeros).unwrap_or_default().trim_start_matches('0');
    let fraction = if whole.is_empty() { trimmed.trim_start_matches('0') } else { trimmed };
    out.extend_from_slice(whole.as_bytes());
    out.extend_from_slice(fraction.as_bytes());
    out.push(b'e');
    out.extend_from_slice(power.to_string().as_bytes());
}

/// The exponent of the last digit kept.
fn power(exponent: &str, fraction_digits: usize, zeros: usize) -> Option<i64> {
    let written: i64 = exponent.parse().ok()?;
    written
        .checked_sub(i64::try_from(fraction_digits).ok()?)?
        .checked_add(i64::try_from(zeros).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(raw: &str) -> String {
        let mut out = Vec::new();
        write_canonical(raw, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn spellings_of_one_number_are_one() {
        for (raw, expected) in [
            ("1", "1e0"),
            ("1.0", "1e0"),
            ("1e0", "1e0"),
            ("10E-1", "1e0"),
            ("0.10e+1", "1e0"),
            ("0.1", "1e-1"),
            ("100", "1e2"),
            ("-1.50", "-15e-1"),
            ("0", "0"),
            ("-0.0e9", "0"),
            ("0.0050", "5e-3"),
            ("12345678901234567890123", "12345678901234567890123e0"),
            ("1e99999999999999999999", "?1e99999999999999999999"),
        ] {
            assert_eq!(canonical(raw), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn the_point_may_stand_anywhere(digits in 1_u64.., shift in 0_usize..20) {
            let written = format!("{digits}");
            let shifted = format!("{}.{}e{}", 0, format_args!("{}{digits}", "0".repeat(shift)), written.len() + shift);
            prop_assert_eq!(canonical(&written), canonical(&shifted));
        }

        #[test]
        fn different_integers_differ(first in any::<i128>(), second in any::<i128>()) {
            prop_assert_eq!(first == second, canonical(&first.to_string()) == canonical(&second.to_string()));
        }
    }
}
