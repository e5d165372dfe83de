//! A table in columns of a terminal: as wide as its cells, folded where the room is short, a list where it is too short.

use super::spans::{Ink, Span, columns, columns_of, fold};

/// No column gets narrower than this; where that does not fit, each row is a list.
const NARROWEST: usize = 9;

/// Spaces between two columns.
const GAP: usize = 2;

/// Rows of cells; the first is the header.
pub type Rows = Vec<Vec<Vec<Span>>>;

/// The table's lines of at most `room` columns.
pub fn lines(rows: &Rows, room: usize) -> Vec<Vec<Span>> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| columns_of(cell)).max().unwrap_or(0))
        .collect();
    let gaps = GAP * count.saturating_sub(1);
    let least: usize = widths.iter().map(|width| *width.min(&NARROWEST)).sum();
    if least + gaps > room {
        return list(rows, room);
    }
    let words: Vec<usize> = (0..count).map(|column| longest_word(rows, column)).collect();
    narrow(&mut widths, &words, room.saturating_sub(gaps));
    narrow(&mut widths, &vec![1; count], room.saturating_sub(gaps));
    let mut lines = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        lines.extend(row_lines(row, &widths, place == 0));
        if place == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            lines.push(vec![Span { text: rule.join(&" ".repeat(GAP)), ink: Ink::Dim }]);
        }
    }
    lines
}

/// Takes columns from the widest, down to each one's floor, until all fit.
fn narrow(widths: &mut [usize], floors: &[usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let giving = widths.iter_mut().zip(floors).filter(|(width, floor)| **width > **floor);
        let Some((widest, _)) = giving.max_by_key(|(width, _)| **width) else { break };
        *widest -= 1;
    }
}

fn longest_word(rows: &Rows, column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let words = cells.flatten().flat_map(|span| span.text.split(' ')).map(columns);
    words.max().unwrap_or(0).max(1)
}

fn row_lines(row: &[Vec<Span>], widths: &[usize], is_header: bool) -> Vec<Vec<Span>> {
    let cells: Vec<Vec<Vec<Span>>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| if is_header { fold(&strong(cell), *width) } else { fold(cell, *width) })
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|at| {
            let mut line: Vec<Span> = Vec::new();
            let mut behind = 0;
            for (cell, width) in cells.iter().zip(widths) {
                if let Some(part) = cell.get(at) {
                    line.push(Span { text: " ".repeat(behind), ink: Ink::Plain });
                    line.extend(part.iter().cloned());
                    behind = width.saturating_sub(columns_of(part)) + GAP;
                } else {
                    behind += width + GAP;
                }
            }
            line
        })
        .collect()
}

fn strong(cell: &[Span]) -> Vec<Span> {
    cell.iter().map(|span| Span { text: span.text.clone(), ink: Ink::Strong }).collect()
}

/// Each row as lines of `header: value`.
fn list(rows: &Rows, room: usize) -> Vec<Vec<Span>> {
    let Some((header, rows)) = rows.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            let mut entry = header.get(place).map(|name| strong(name)).unwrap_or_default();
            entry.push(Span { text: ": ".to_owned(), ink: Ink::Strong });
            entry.extend(cell.iter().cloned());
            let (mark, room) = (if place == 0 { "- " } else { "  " }, room.saturating_sub(2));
            for (at, line) in fold(&entry, room).into_iter().enumerate() {
                let start = Span { text: if at == 0 { mark } else { "  " }.to_owned(), ink: Ink::Plain };
                lines.push(std::iter::once(start).chain(line).collect());
            }
        }
    }
    lines
}
