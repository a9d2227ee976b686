//! The figures as Markdown, as JSON, as a curve.

use crate::{Line, Shape};
use plotters::prelude::*;

/// The fee of a row of 200 by x402's batch settlement contract on the same chain, in DOT: 336 µs, 12,183 B of proof, 480 B of calldata.
const X402_ROW_DOT: f64 = 0.0033;

fn dot(planck: i128) -> f64 {
    planck as f64 / 1e10
}

/// Two tables: by the SDK's weights, and by the Hub's of today.
pub fn tables(name: &str, sdk: &[Line], today: &[Line], code_bytes: usize) {
    let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    println!("## {title}\n\nCode: {code_bytes} bytes. Peer: x402's batch settlement contract on the same chain, {X402_ROW_DOT} DOT a row of 200.\n");
    println!("![Fee of a row over the size of its batch]({name}-fee-per-row.svg)\n\n### By the weights of SDK 2609\n");
    table(sdk);
    println!("\n### By the Hub's weights of today\n");
    table(today);
    println!();
}

fn table(lines: &[Line]) {
    println!(
        "| transaction | ref time, µs | proof, B | calldata, B | deposit, DOT | fee, DOT | fee at 0.1, DOT | a row: µs | proof, B | calldata, B | fee, DOT | fee at 0.1, DOT |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for Line { what, rows, cost, .. } in lines {
        let row = cost.per(*rows);
        println!(
            "| {what} | {:.0} | {} | {} | {:.4} | {:.6} | {:.6} | {:.1} | {} | {} | {:.6} | {:.6} |",
            cost.ref_time_ps as f64 / 1e6,
            cost.proof_size_bytes,
            cost.calldata_bytes,
            dot(cost.storage_deposit_planck),
            dot(cost.fee_planck as i128),
            dot(cost.fee_low_planck as i128),
            row.ref_time_ps as f64 / 1e6,
            row.proof_size_bytes,
            row.calldata_bytes,
            dot(row.fee_planck as i128),
            dot(row.fee_low_planck as i128),
        );
    }
}

pub fn json(name: &str, sdk: &[Line], today: &[Line], code_bytes: usize) {
    let lines = |lines: &[Line]| -> Vec<_> {
        lines
            .iter()
            .map(|Line { what, rows, cost, required, .. }| {
                serde_json::json!({
                    "transaction": what,
                    "rows": rows,
                    "ref_time_ps": cost.ref_time_ps,
                    "proof_size_bytes": cost.proof_size_bytes,
                    "calldata_bytes": cost.calldata_bytes,
                    "tx_bytes": cost.tx_bytes,
                    "storage_deposit_planck": cost.storage_deposit_planck.to_string(),
                    "fee_planck": cost.fee_planck.to_string(),
                    "fee_low_planck": cost.fee_low_planck.to_string(),
                    "required_ref_time_ps": required.0,
                    "required_proof_size_bytes": required.1,
                })
            })
            .collect()
    };
    println!("{}", serde_json::json!({ "contract": name, "code_bytes": code_bytes, "sdk_2609": lines(sdk), "hub_today": lines(today) }));
}

/// The fee of a row over the size of its batch, native, at multiplier 1.
pub fn curve(sdk: &[Line], today: &[Line], file: &str, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let points = |lines: &[Line], shape| -> Vec<(f64, f64)> {
        let of_shape = lines.iter().filter(|l| l.shape == Some((shape, true)));
        of_shape.map(|l| (l.rows as f64, l.cost.per(l.rows).fee_planck as f64 / 1e10)).collect()
    };
    let most = sdk.iter().filter(|l| l.shape.is_some()).map(|l| l.rows).max().unwrap_or(1) as f64;
    let area = SVGBackend::new(file, (760, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{name}: fee of a claimed row, DOT (native token, multiplier 1)"), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d((1f64..most).log_scale(), (0.0004f64..0.02).log_scale())?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_desc("rows in the batch")
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&|v| format!("{v:.4}"))
        .draw()?;
    let mut draw = |points: Vec<(f64, f64)>, label: String, colour: RGBColor, width| -> Result<(), Box<dyn std::error::Error>> {
        let series = chart.draw_series(LineSeries::new(points, colour.stroke_width(width)).point_size(width + 1))?;
        series.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width)));
        Ok(())
    };
    for (shape, colour) in Shape::ALL.into_iter().zip([BLUE, GREEN, MAGENTA]) {
        draw(points(sdk, shape), shape.name().to_owned(), colour, 2)?;
    }
    draw(points(today, Shape::Neighbours), format!("{}, Hub's weights of today", Shape::Neighbours.name()), MAGENTA, 1)?;
    draw(vec![(1.0, X402_ROW_DOT), (most, X402_ROW_DOT)], "x402 batch settlement, 200 rows".to_owned(), RED, 1)?;
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).border_style(BLACK).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
