//! The chart of RESULTS.md: cold vendoring beside its peers, every target, growth, and what compiling costs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::figures::Figures;
use crate::measure::{Series, median};
use crate::report::number;
use crate::verdict::targets;

const OURS: &str = "#1b6f8a";
const THEIRS: &str = "#b9c4cc";
const MISSED: &str = "#c2572b";
const INK: &str = "#22303a";
const FAINT: &str = "#7a8791";

const WIDTH: f64 = 1120.0;
const LEFT: f64 = 40.0;
const LINE: f64 = 26.0;

/// What is drawn so far, and how far down it reaches.
struct Sheet {
    svg: String,
    y: f64,
}

pub fn draw(figures: &BTreeMap<String, Figures>) -> String {
    let mut sheet = Sheet { svg: String::new(), y: 30.0 };
    if let Some(cold) = figures.get("cold") {
        let bars = cold.series.iter().map(bar).collect();
        sheet.bars("94 MB in 23 shards over http, nothing there yet: seconds", bars);
    }
    if let Some(compile) = figures.get("compile") {
        let bars = compile.series.iter().map(bar).collect();
        sheet.bars("Compiled from nothing as a build dependency: seconds", bars);
    }
    sheet.targets(figures);
    if let Some(growth) = figures.get("growth") {
        sheet.growth(growth);
    }
    let height = sheet.y + 10.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"14\" fill=\"{INK}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
        sheet.svg
    )
}

struct Bar {
    name: String,
    middle: f64,
    least: f64,
    most: f64,
}

fn bar(series: &Series) -> Bar {
    let walls = || series.samples.iter().map(|sample| sample.wall);
    Bar {
        name: series.name.clone(),
        middle: median(walls()),
        least: walls().fold(f64::INFINITY, f64::min),
        most: walls().fold(0.0, f64::max),
    }
}

impl Sheet {
    fn text(&mut self, x: f64, y: f64, anchor: &str, style: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\" {style}>{text}</text>"
        );
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        let _ = writeln!(
            self.svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{fill}\"/>",
            width.max(1.0)
        );
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        let _ = writeln!(
            self.svg,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
            from.0, from.1, to.0, to.1
        );
    }

    fn title(&mut self, text: &str) {
        self.y += 14.0;
        self.text(LEFT, self.y, "start", "font-size=\"18\" font-weight=\"bold\"", text);
        self.y += 16.0;
    }

    /// Medians, with their ends as a thin line.
    fn bars(&mut self, title: &str, bars: Vec<Bar>) {
        const NAMES: f64 = 270.0;
        const LONGEST: f64 = WIDTH - NAMES - 130.0;
        self.title(title);
        let most = bars.iter().map(|bar| bar.most).fold(0.0, f64::max);
        for bar in bars {
            let scale = LONGEST / most;
            let fill = if bar.name.starts_with("vendor-model") { OURS } else { THEIRS };
            let middle = self.y + LINE / 2.0;
            self.text(NAMES - 10.0, middle + 5.0, "end", "", &bar.name);
            self.rect(NAMES, self.y + 4.0, bar.middle * scale, LINE - 8.0, fill);
            let style = format!("stroke=\"{INK}\" stroke-width=\"1.5\"");
            self.line(
                (NAMES + bar.least * scale, middle),
                (NAMES + bar.most * scale, middle),
                &style,
            );
            let end = NAMES + bar.most * scale + 8.0;
            self.text(
                end,
                middle + 5.0,
                "start",
                &format!("fill=\"{FAINT}\""),
                &number(bar.middle),
            );
            self.y += LINE;
        }
        self.y += 20.0;
    }

    /// Every target as a share of what it may be at most.
    fn targets(&mut self, figures: &BTreeMap<String, Figures>) {
        const NAMES: f64 = 520.0;
        const WHOLE: f64 = 340.0;
        self.title("The targets: each figure as a share of what it may be at most");
        let mut others = 0;
        let (top, behind) = (self.y, self.svg.len());
        for target in targets() {
            let Some(found) = target.found(figures) else { continue };
            let share = if target.most == 0.0 { found.middle } else { found.middle / target.most };
            // Those beside peers are drawn above.
            let beside_a_peer = target.most == 1.0 && !target.what.contains("openssl");
            if target.stage == "cold" && beside_a_peer && share <= 1.0 {
                others += 1;
                continue;
            }
            let fill = if share <= 1.0 { OURS } else { MISSED };
            let middle = self.y + LINE / 2.0;
            let name = format!("{}: {}", target.stage, target.what);
            self.text(NAMES - 10.0, middle + 4.5, "end", "font-size=\"12.5\"", &name);
            self.rect(NAMES, self.y + 5.0, share.min(1.45) * WHOLE, LINE - 10.0, fill);
            let label = format!("{} of {}", number(found.middle), number(target.most));
            let x = NAMES + share.min(1.45) * WHOLE + 8.0;
            self.text(
                x,
                middle + 4.5,
                "start",
                &format!("font-size=\"12.5\" fill=\"{FAINT}\""),
                &label,
            );
            self.y += LINE - 3.0;
        }
        let style = format!("stroke=\"{INK}\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"");
        self.svg.insert_str(
            behind,
            &format!(
                "<line x1=\"{0}\" y1=\"{top}\" x2=\"{0}\" y2=\"{1}\" {style}/>\n",
                NAMES + WHOLE,
                self.y + 4.0
            ),
        );
        let text =
            format!("and {others} more of cold vendoring beside the peers above, all reached");
        self.text(
            NAMES,
            self.y + 22.0,
            "start",
            &format!("font-size=\"12.5\" fill=\"{FAINT}\""),
            &text,
        );
        self.y += 50.0;
    }

    fn growth(&mut self, figures: &Figures) {
        self.title("Growth: seconds, both axes logarithmic; dashed is strictly proportional");
        let points = |unit: &str| -> Vec<(f64, f64)> {
            let of = |series: &Series| {
                Some((series.name.strip_suffix(unit)?.parse().ok()?, bar(series).middle))
            };
            figures.series.iter().filter_map(of).collect()
        };
        let top = self.y;
        self.plot(LEFT + 40.0, top, "MB in shards of 4 MiB", &points(" MB"));
        self.plot(WIDTH / 2.0 + 50.0, top, "files of 10 KB", &points(" files"));
        self.y = top + 330.0;
    }

    fn plot(&mut self, left: f64, top: f64, label: &str, points: &[(f64, f64)]) {
        const SIDE: (f64, f64) = (430.0, 250.0);
        let (low, high) = (0.001_f64.log10(), 100_f64.log10());
        let width = points.iter().map(|point| point.0.log10()).fold(1.0, f64::max);
        let x = |value: f64| left + value.log10() / width * SIDE.0;
        let y = |value: f64| top + 10.0 + (high - value.log10()) / (high - low) * SIDE.1;
        for decade in [0.001, 0.01, 0.1, 1.0, 10.0, 100.0] {
            let at = y(decade);
            self.line((left, at), (left + SIDE.0, at), "stroke=\"#e3e8eb\"");
            self.text(
                left - 8.0,
                at + 4.0,
                "end",
                &format!("font-size=\"12\" fill=\"{FAINT}\""),
                &format!("{decade}"),
            );
        }
        for (value, _) in points {
            let style = format!("font-size=\"12\" fill=\"{FAINT}\"");
            self.text(x(*value), y(0.001) + 18.0, "middle", &style, &format!("{value}"));
        }
        self.text(left + SIDE.0 / 2.0, y(0.001) + 40.0, "middle", "", label);
        if let Some((large, seconds)) = points.last() {
            let least = points[0].0.max(large * 0.001 / seconds);
            let style = format!("stroke=\"{FAINT}\" stroke-dasharray=\"4 3\"");
            self.line((x(least), y(seconds * least / large)), (x(*large), y(*seconds)), &style);
        }
        let path: Vec<String> =
            points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{OURS}\" stroke-width=\"2.5\"/>",
            path.join(" ")
        );
        for (a, b) in points {
            let _ = writeln!(
                self.svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{OURS}\"/>",
                x(*a),
                y(*b)
            );
        }
    }
}
