//! Bars for the page: numbers to widths. Knows no report.

/// A small chart: one bar per number, all against one scale.
pub(super) struct Chart {
    /// What it shows.
    pub title: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar with its number.
pub(super) struct Bar {
    /// In front of it; empty where it belongs to the one above.
    pub label: String,
    /// `base` or `head`.
    pub class: &'static str,
    /// From 0 to 100.
    pub width: String,
    /// The number as it is read.
    pub number: String,
}

impl Chart {
    /// A chart of rows: a label, then the number of each side where there is one.
    pub fn new(title: &str, rows: &[(String, [Option<f64>; 2])], scale: f64, show: &dyn Fn(f64) -> String) -> Self {
        let bars = rows.iter().flat_map(|(label, sides)| {
            let several = sides.iter().flatten().count() > 1;
            let shown = sides.iter().zip(["base", "head"]).filter_map(move |(side, class)| Some(((*side)?, class)));
            shown.enumerate().map(move |(place, (value, class))| Bar {
                label: if place == 0 || !several { label.clone() } else { String::new() },
                class,
                width: width(value, scale),
                number: show(value),
            })
        });
        Self { title: title.to_owned(), bars: bars.collect() }
    }
}

/// A share of the scale in percent; something is drawn for everything above 0.
pub(super) fn width(value: f64, scale: f64) -> String {
    let share = if scale > 0.0 && value.is_finite() { (value / scale).clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    let drawn = if value > 0.0 { share.max(0.5) } else { share };
    format!("{drawn:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares_of_the_scale() {
        let check = |value, scale, expected: &str| assert_eq!(width(value, scale), expected, "{value} of {scale}");
        check(0.5, 1.0, "50.0");
        check(0.0, 1.0, "0.0");
        check(0.000_01, 1.0, "0.5");
        check(3.0, 2.0, "100.0");
        check(1.0, 0.0, "0.5");
        check(f64::NAN, 1.0, "0.0");
    }

    #[test]
    fn a_row_of_two_sides_is_named_once() {
        let rows = [("tone".to_owned(), [Some(0.8), Some(0.6)]), ("new".to_owned(), [None, Some(1.0)])];
        let chart = Chart::new("Metrics", &rows, 1.0, &|value| format!("{value:.1}"));
        let bars: Vec<_> = chart.bars.iter().map(|bar| (bar.label.as_str(), bar.class, bar.number.as_str())).collect();
        assert_eq!(bars, [("tone", "base", "0.8"), ("", "head", "0.6"), ("new", "head", "1.0")]);
    }
}
