//! Numbers: multiples of a step within bounds.
//!
//! Steps are decimal fractions, so that a multiple of 0.1 is the double nearest to it, as a
//! checker reads it, and not a product of doubles.

use serde_json::Value;

use super::Keywords;
use crate::mock::digest::Dice;

/// A decimal: `digits` × 10^-`places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    digits: u64,
    places: u32,
}

/// Inclusive or exclusive ends; where a schema is silent they are near the other end or 0.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: Option<End>,
    to: Option<End>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    value: f64,
    is_exclusive: bool,
}

/// How far from one end the other is where the schema does not say.
const WIDTH: f64 = 100.0;
/// The most decimal places that are tried to fit a number into its range.
const MOST_PLACES: u32 = 15;

/// An integer for these keywords.
pub(super) fn integer(keywords: &Keywords, dice: &mut Dice) -> Option<Value> {
    let step = match keywords.get("multipleOf") {
        Some(multiple) => Step::read(multiple)?.among_integers()?,
        None => Step { digits: 1, places: 0 },
    };
    multiple(step, Range::read(keywords), dice)
}

/// A number for these keywords, with two decimal places where they fit.
pub(super) fn number(keywords: &Keywords, dice: &mut Dice) -> Option<Value> {
    let range = Range::read(keywords);
    match keywords.get("multipleOf") {
        Some(step) => multiple(Step::read(step)?, range, dice),
        None => {
            (2..=MOST_PLACES).find_map(|places| multiple(Step { digits: 1, places }, range, dice))
        }
    }
}

/// A count, such as `minItems`, however it is spelt.
pub(super) fn count(value: &Value) -> Option<u64> {
    let step = Step::read(value).filter(|step| step.places == 0);
    step.map(|step| step.digits).or_else(|| value.as_u64())
}

fn multiple(step: Step, range: Range, dice: &mut Dice) -> Option<Value> {
    let (from, to) = range.ends(step);
    let first = (from / step.times(1)?).ceil();
    let last = (to / step.times(1)?).floor();
    if first > last {
        return None;
    }
    // At an exclusive end, or where the division was rounded, the outermost multiples lie outside.
    let (first, last) = (whole(first), whole(last));
    let spread = u64::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(1);
    let start = dice.below(spread);
    let near = |offset: u64| first.checked_add(i64::try_from((start + offset) % spread).ok()?);
    (0..spread.min(4)).find_map(|offset| {
        let factor = near(offset)?;
        range.holds(step.times(factor)?).then(|| step.value(factor)).flatten()
    })
}

impl Step {
    /// A decimal above 0, of at most 19 digits and 300 places.
    fn read(value: &Value) -> Option<Self> {
        let text = value.as_number()?.to_string();
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits: u64 = format!("{whole}{fraction}").parse().ok().filter(|digits| *digits > 0)?;
        let exponent: i32 = exponent.parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()? - exponent;
        if places <= 0 {
            let digits = digits.checked_mul(10_u64.checked_pow(places.unsigned_abs())?)?;
            return Some(Self { digits, places: 0 });
        }
        (places <= 300).then_some(Self { digits, places: places.unsigned_abs() })
    }

    /// The step between those multiples that are whole.
    fn among_integers(self) -> Option<Self> {
        let common = gcd(self.digits, 10_u64.checked_pow(self.places)?);
        Some(Self { digits: self.digits.checked_div(common)?, places: 0 })
    }

    /// The multiple as a double.
    fn times(self, factor: i64) -> Option<f64> {
        format!("{}e-{}", self.product(factor)?, self.places).parse().ok()
    }

    fn value(self, factor: i64) -> Option<Value> {
        match self.places {
            0 => i64::try_from(self.product(factor)?).ok().map(Value::from),
            _ => serde_json::Number::from_f64(self.times(factor)?).map(Value::Number),
        }
    }

    fn product(self, factor: i64) -> Option<i128> {
        i128::from(self.digits).checked_mul(i128::from(factor))
    }
}

impl Range {
    fn read(keywords: &Keywords) -> Self {
        let end = |inclusive: &str, exclusive: &str, prefer: fn(f64, f64) -> bool| {
            let number = |name: &str| keywords.get(name).and_then(Value::as_f64);
            // Before draft 6 the exclusive keyword was a flag.
            let flag = keywords.get(exclusive).is_some_and(|flag| *flag == true);
            let inclusive = number(inclusive).map(|value| End { value, is_exclusive: flag });
            let exclusive = number(exclusive).map(|value| End { value, is_exclusive: true });
            match (inclusive, exclusive) {
                (Some(one), Some(other)) if prefer(one.value, other.value) => Some(one),
                (one, other) => other.or(one),
            }
        };
        Self {
            from: end("minimum", "exclusiveMinimum", |one, other| one > other),
            to: end("maximum", "exclusiveMaximum", |one, other| one < other),
        }
    }

    /// Both ends; wide enough for some multiples of `step` where the schema leaves one open.
    fn ends(self, step: Step) -> (f64, f64) {
        let width = WIDTH.max(step.times(10).unwrap_or(WIDTH));
        match (self.from.map(|end| end.value), self.to.map(|end| end.value)) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, from + width),
            (None, Some(to)) if to >= 0.0 => (0.0, to.min(width)),
            (None, Some(to)) => (to - width, to),
            (None, None) => (0.0, width),
        }
    }

    fn holds(self, value: f64) -> bool {
        let above = self
            .from
            .is_none_or(|end| end.value < value || (!end.is_exclusive && end.value <= value));
        let below = self
            .to
            .is_none_or(|end| value < end.value || (!end.is_exclusive && value <= end.value));
        above && below
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    match a.checked_rem(b) {
        None => a,
        Some(rest) => gcd(b, rest),
    }
}

/// A whole double as an integer.
fn whole(number: f64) -> i64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "it is whole, and the conversion saturates"
    )]
    let whole = number as i64;
    whole
}
