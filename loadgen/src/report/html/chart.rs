//! One picture: series over columns of equal width, on one scale.

mod draw;

use std::fmt::Write as _;

use self::draw::{draw, float, swatch};
use super::axis::Scale;
use super::escape::escape;
use crate::report::words::{NONE, count, millis, number};

/// What values are, for how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Number,
    Count,
    Millis,
}

impl Unit {
    pub(super) fn words(self, value: f64) -> String {
        match self {
            Self::Number | Self::Count => number(value),
            Self::Millis => millis(value),
        }
    }

    /// For the script.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Number | Self::Count => "number",
            Self::Millis => "millis",
        }
    }

    fn tick(self, value: f64) -> String {
        match self {
            Self::Count if value.fract() != 0.0 => String::new(),
            Self::Number | Self::Count if value >= 10_000.0 => {
                format!("{}k", number(value / 1000.0))
            }
            Self::Number | Self::Count => number(value),
            Self::Millis if value >= 1000.0 => format!("{} s", value / 1000.0),
            Self::Millis if value >= 1.0 => format!("{value} ms"),
            Self::Millis => format!("{:.0} µs", value * 1000.0),
        }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// From middle to middle of columns.
    Line,
    /// The same with what is below filled.
    Area,
    /// Level over each column.
    Steps,
    /// Level and filled, on top of the band before.
    Band,
    /// A bar for each column that is not 0.
    Bars,
}

/// A value for each column, where there is one.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Of its colour and line.
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    pub(super) shape: Shape,
    pub(super) values: Vec<Option<f64>>,
}

/// A picture.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Unique on the page.
    pub(super) id: String,
    pub(super) title: String,
    /// In pixels.
    pub(super) height: u32,
    pub(super) unit: Unit,
    pub(super) logarithmic: bool,
    pub(super) series: Vec<Series>,
}

/// The width of a column in a picture's own units.
const COLUMN: f64 = 10.0;

impl Chart {
    fn scale(&self) -> Scale {
        let values = || {
            self.series
                .iter()
                .flat_map(|series| series.values.iter().flatten().copied())
        };
        if self.logarithmic {
            return Scale::logarithmic(values());
        }
        let mut stacked = Vec::new();
        for series in self
            .series
            .iter()
            .filter(|series| series.shape == Shape::Band)
        {
            stacked.resize(series.values.len(), 0.0);
            for (sum, value) in stacked.iter_mut().zip(&series.values) {
                *sum += value.unwrap_or(0.0);
            }
        }
        let largest = values().chain(stacked).fold(0.0, f64::max);
        Scale::linear(largest, self.unit == Unit::Count)
    }

    /// The picture with its title, legend and scale. `above` is what lies over the plot; `lines` are places of upright
    /// lines, from 0 to 1, with their classes.
    pub(super) fn figure(&self, above: &str, lines: &[(f64, &str)]) -> String {
        let columns = self
            .series
            .iter()
            .map(|series| series.values.len())
            .max()
            .unwrap_or(0);
        let width = COLUMN * float(columns.max(1));
        let height = f64::from(self.height);
        let scale = self.scale();
        let y = |value: f64| height * (1.0 - scale.place(value));
        let mut drawn = String::new();
        for tick in &scale.ticks {
            let _ = write!(
                drawn,
                "<path class=\"grid\" d=\"M0 {:.1}H{width}\"/>",
                y(*tick)
            );
        }
        for (place, class) in lines {
            let _ = write!(
                drawn,
                "<path class=\"{class}\" d=\"M{:.1} 0V{height}\"/>",
                place * width
            );
        }
        let mut below = vec![0.0; columns];
        for series in &self.series {
            let floor = |_: usize| 0.0;
            match series.shape {
                Shape::Band => {
                    let low = below.clone();
                    for (sum, value) in below.iter_mut().zip(&series.values) {
                        *sum += value.unwrap_or(0.0);
                    }
                    draw(series, &y, &|column| low[column], &mut drawn);
                }
                _ => draw(series, &y, &floor, &mut drawn),
            }
        }
        format!(
            "<figure class=\"chart\" data-chart=\"{id}\">\n<figcaption><span class=\"chart-title\">{title}</span>{legend}</figcaption>\n\
             <div class=\"plot\" style=\"height:{height}px\">{labels}<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{words}\"><title>{words}</title>{drawn}</svg>{above}<i class=\"cross\"></i></div>\n</figure>\n",
            id = escape(&self.id),
            title = escape(&self.title),
            legend = self.legend(),
            labels = self.labels(&scale),
            words = escape(&self.words()),
        )
    }

    fn labels(&self, scale: &Scale) -> String {
        let label = |tick: &f64| {
            let top = 100.0 * (1.0 - scale.place(*tick));
            let words = self.unit.tick(*tick);
            format!(
                "<span class=\"level\" style=\"top:{top:.1}%\" aria-hidden=\"true\">{words}</span>"
            )
        };
        scale.ticks.iter().map(label).collect()
    }

    fn legend(&self) -> String {
        let items = self.series.iter().map(|series| {
            format!(
                "<span class=\"legend-item\"><svg class=\"swatch\" viewBox=\"0 0 16 10\" width=\"16\" height=\"10\" aria-hidden=\"true\">{}</svg>{} \
                 <b data-of=\"{}\" data-peak=\"{peak}\">{peak}</b></span>",
                swatch(series),
                escape(series.label),
                series.class,
                peak = escape(&self.peak(series)),
            )
        });
        format!(
            "<span class=\"legend\">{}</span>",
            items.collect::<String>()
        )
    }

    fn peak(&self, series: &Series) -> String {
        let most = series.values.iter().flatten().copied().reduce(f64::max);
        most.map_or_else(|| NONE.to_owned(), |most| self.unit.words(most))
    }

    /// For who does not see it.
    fn words(&self) -> String {
        let peaks = self
            .series
            .iter()
            .map(|series| format!("{} at most {}", series.label, self.peak(series)));
        let columns = self.series.first().map_or(0, |series| series.values.len());
        let columns = count(columns as u64);
        format!(
            "{}, {columns} points: {}",
            self.title,
            peaks.collect::<Vec<_>>().join(", ")
        )
    }
}
