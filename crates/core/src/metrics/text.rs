//! The aggregate as text for Prometheus, in its own format or in OpenMetrics 1.0.
//!
//! Written here because the libraries for it write their own counters, in one of the two formats, and
//! through floating point; ours are integers until they are digits. Families without a series are
//! left out, and so are labels without a value, which mean the same as absent ones. Lines are sorted,
//! so equal counts give equal text. Sources:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::{
    aggregate::Aggregate,
    family::{Facts, Family, Kind, Unit},
    store::{Histogram, Series},
};
use crate::{
    alert::Spend,
    experiments::feedback::Opinion,
    pool::probe::Replica,
    units::{MicroUsd, UnixMs},
};

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The better of the two that an `accept` header names; Prometheus' own where it names neither.
    pub fn accepted(accept: &str) -> Self {
        let types = accept.split(',').filter_map(|range| range.split(';').next());
        let open = |name: &str| name.trim().eq_ignore_ascii_case("application/openmetrics-text");
        if types.into_iter().any(open) { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The reply's `content-type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Aggregate {
    /// Everything counted, and the states that are known at `now`.
    pub fn render(&self, now: UnixMs, format: Format) -> String {
        let mut page = Page { format, text: String::new() };
        let mut counters = self.sorted(&self.store.counters);
        let mut histograms = self.sorted(&self.store.histograms);
        let gauges = self.gauges(now);
        for family in Family::ALL {
            let facts = family.facts();
            // Writing to a string cannot fail.
            let _ = match facts.kind {
                Kind::Counter => page.counters(facts, counters.remove(&family).unwrap_or_default()),
                Kind::Histogram(boundaries) => {
                    let series = histograms.remove(&family).unwrap_or_default();
                    page.histograms(facts, boundaries, series)
                }
                Kind::Gauge => page.gauges(facts, gauges.get(&family)),
            };
        }
        page.end()
    }

    /// Series by family, sorted by the texts of their labels.
    fn sorted<'a, T, S>(
        &'a self,
        series: &'a std::collections::HashMap<Series, T, S>,
    ) -> BTreeMap<Family, Vec<(Vec<&'a str>, &'a T)>> {
        let mut families: BTreeMap<Family, Vec<_>> = BTreeMap::new();
        for (series, counted) in series {
            let labels: Vec<_> = series.values().map(|name| self.names.text(name)).collect();
            families.entry(series.family).or_default().push((labels, counted));
        }
        for rows in families.values_mut() {
            rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        }
        families
    }

    /// States, added up over the isolates that reported lately.
    pub(super) fn gauges(&self, now: UnixMs) -> BTreeMap<Family, BTreeMap<Vec<&str>, u64>> {
        let mut gauges: BTreeMap<Family, BTreeMap<Vec<&str>, u64>> = BTreeMap::new();
        let mut add = |family, labels, amount| {
            *gauges.entry(family).or_default().entry(labels).or_default() += amount;
        };
        add(Family::Build, vec![env!("CARGO_PKG_VERSION")], 1);
        add(Family::Isolates, vec![], 0);
        add(Family::InFlight, vec![], 0);
        for report in self.reporting(now) {
            add(Family::Isolates, vec![], 1);
            add(Family::InFlight, vec![], report.in_flight);
            if let Some(digest) = &report.config {
                add(Family::ConfigIsolates, vec![digest], 1);
            }
            for (target, state) in &report.breakers {
                add(Family::BreakerStates, vec![target, state.name()], 1);
            }
        }
        for Spend { scope, name, budget, spent } in &self.budgets {
            let labels = || vec![scope.name(), name.as_str(), budget.per.name()];
            add(Family::BudgetLimits, labels(), budget.limit.0);
            add(Family::BudgetSpent, labels(), spent.0);
        }
        for Replica { provider, name, ready, waiting } in &self.replicas {
            let labels = || vec![provider.as_str(), name.as_str()];
            add(Family::ReplicasReady, labels(), u64::from(*ready));
            if let Some(waiting) = waiting {
                add(Family::ReplicasWaiting, labels(), *waiting);
            }
        }
        for opinion in &self.feedback {
            let Opinion { model, variant, version, kind, value, .. } = opinion;
            let labels = vec![model, variant, version, kind.name(), value.as_str()];
            add(Family::Feedback, labels, opinion.count);
        }
        gauges
    }
}

struct Page {
    format: Format,
    text: String,
}

impl Page {
    fn counters(&mut self, facts: Facts, rows: Vec<(Vec<&str>, &u64)>) -> fmt::Result {
        self.head(facts, rows.is_empty())?;
        for (labels, count) in rows {
            self.sample(facts.name, "", &pairs(facts, &labels), &facts.unit.written(*count))?;
        }
        Ok(())
    }

    fn gauges(&mut self, facts: Facts, rows: Option<&BTreeMap<Vec<&str>, u64>>) -> fmt::Result {
        self.head(facts, rows.is_none())?;
        for (labels, amount) in rows.into_iter().flatten() {
            self.sample(facts.name, "", &pairs(facts, labels), &facts.unit.written(*amount))?;
        }
        Ok(())
    }

    fn histograms(
        &mut self,
        facts: Facts,
        boundaries: &[u64],
        rows: Vec<(Vec<&str>, &Histogram)>,
    ) -> fmt::Result {
        self.head(facts, rows.is_empty())?;
        for (labels, histogram) in rows {
            self.histogram(facts, boundaries, &pairs(facts, &labels), histogram)?;
        }
        Ok(())
    }

    /// A histogram's buckets, which add up those below them, its sum and its count.
    fn histogram(
        &mut self,
        facts: Facts,
        boundaries: &[u64],
        labels: &str,
        histogram: &Histogram,
    ) -> fmt::Result {
        let comma = if labels.is_empty() { "" } else { "," };
        let ends = boundaries.iter().map(|end| facts.unit.boundary(*end));
        let mut total = 0_u64;
        for (end, count) in ends.chain(["+Inf".to_owned()]).zip(histogram.counts) {
            total = total.saturating_add(count);
            let labels = format!("{labels}{comma}le=\"{end}\"");
            self.sample(facts.name, "_bucket", &labels, &total.to_string())?;
        }
        self.sample(facts.name, "_sum", labels, &facts.unit.written(histogram.sum))?;
        self.sample(facts.name, "_count", labels, &total.to_string())
    }

    fn head(&mut self, facts: Facts, empty: bool) -> fmt::Result {
        if empty {
            return Ok(());
        }
        let kind = match facts.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let name = match self.format {
            Format::Prometheus => facts.name,
            // There a counter's family goes without the suffix of its samples.
            Format::OpenMetrics => facts.name.trim_end_matches("_total"),
        };
        writeln!(self.text, "# HELP {name} {}", facts.help)?;
        writeln!(self.text, "# TYPE {name} {kind}")?;
        match (self.format, facts.unit.name()) {
            (Format::OpenMetrics, Some(unit)) => writeln!(self.text, "# UNIT {name} {unit}"),
            (Format::OpenMetrics, None) | (Format::Prometheus, _) => Ok(()),
        }
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &str, value: &str) -> fmt::Result {
        if labels.is_empty() {
            writeln!(self.text, "{name}{suffix} {value}")
        } else {
            writeln!(self.text, "{name}{suffix}{{{labels}}} {value}")
        }
    }

    fn end(mut self) -> String {
        match self.format {
            Format::Prometheus => {}
            Format::OpenMetrics => self.text.push_str("# EOF\n"),
        }
        self.text
    }
}

impl Unit {
    /// The unit as OpenMetrics names it, also the end of the family's name.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
            Self::Usd => Some("usd"),
        }
    }

    /// A counted integer as digits of the unit; no floating point touches it.
    fn written(self, counted: u64) -> String {
        match self {
            Self::None | Self::Bytes => counted.to_string(),
            Self::Seconds => format!("{}.{:03}", counted / 1000, counted % 1000),
            Self::Usd => MicroUsd(counted).to_string(),
        }
    }

    /// A boundary in the canonical form of OpenMetrics: the fewest decimals, but at least one.
    fn boundary(self, counted: u64) -> String {
        let digits = self.written(counted);
        match digits.split_once('.') {
            None => format!("{digits}.0"),
            Some((whole, decimals)) => {
                let decimals = decimals.trim_end_matches('0');
                format!("{whole}.{}", if decimals.is_empty() { "0" } else { decimals })
            }
        }
    }
}

/// Labels as `name="value",…`, without those that have no value.
fn pairs(facts: Facts, values: &[&str]) -> String {
    let given = facts.labels.iter().zip(values).filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> =
        given.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    pairs.join(",")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
