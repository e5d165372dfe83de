//! One pattern of CODEOWNERS against a path: folders part by part, each part with `*` and `?`. Knows no owner.

/// A pattern that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Glob {
    parts: Vec<Part>,
    /// Whether it also means what is inside of a folder it matches.
    reaches_inside: bool,
}

/// What one folder or file name must be.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Any number of folders.
    Any,
    /// One name.
    Name(Vec<Piece>),
}

/// What stands in a name.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Run,
}

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 300;

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence about it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN {
            return Err(format!("has more than {MAX_PATTERN} characters"));
        }
        if pattern.starts_with('!') {
            return Err("negates, which CODEOWNERS does not know".to_owned());
        }
        if pattern.starts_with("\\#") {
            return Err("begins with an escaped `#`, which CODEOWNERS does not know".to_owned());
        }
        if pattern.contains(['[', ']']) {
            return Err("has a range of characters, which CODEOWNERS does not know".to_owned());
        }
        let (is_folder, body) = match pattern.strip_suffix('/') {
            Some(body) => (true, body),
            None => (false, pattern),
        };
        // A slash at the front or in the middle ties it to the root.
        let (is_tied, body) = match body.strip_prefix('/') {
            Some(body) => (true, body),
            None => (body.contains('/'), body),
        };
        if body.is_empty() || body.split('/').any(str::is_empty) {
            return Err("has a folder without a name".to_owned());
        }
        let mut parts: Vec<Part> = if is_tied { Vec::new() } else { vec![Part::Any] };
        for name in body.split('/') {
            parts.push(read_part(name)?);
        }
        // `docs/*` means the files of `docs` and not those of its folders; every other pattern may name a folder.
        let ends_in_star = is_tied && matches!(parts.last(), Some(Part::Name(pieces)) if *pieces == [Piece::Run]);
        let ends_in_any = matches!(parts.last(), Some(Part::Any));
        if is_folder || ends_in_any {
            // Something inside of the folder, not the folder's own name.
            parts.push(Part::Name(vec![Piece::Run]));
        }
        let reaches_inside = is_folder || ends_in_any || !ends_in_star;
        Ok(Self { parts, reaches_inside })
    }

    /// Whether it matches a path. Bounded by parts times parts, whatever the pattern.
    pub fn matches(&self, path: &Names) -> bool {
        match self.parts.as_slice() {
            // The two commonest forms need no table.
            [Part::Any, Part::Name(pieces)] if self.reaches_inside => path.0.iter().any(|name| is_name(pieces, name)),
            [Part::Name(pieces), ..] if !path.0.first().is_some_and(|name| is_name(pieces, name)) => false,
            parts => self.reaches(parts, path),
        }
    }

    fn reaches(&self, parts: &[Part], path: &Names) -> bool {
        // Whether the parts so far match the first n names, for each n.
        let mut at: Vec<bool> = std::iter::once(true).chain(path.0.iter().map(|_| false)).collect();
        for part in parts {
            at = match part {
                Part::Any => {
                    let mut seen = false;
                    let more = at.iter().map(|here| {
                        seen |= *here;
                        seen
                    });
                    more.collect()
                }
                Part::Name(pieces) => {
                    let next = path.0.iter().zip(&at).map(|(name, before)| *before && is_name(pieces, name));
                    std::iter::once(false).chain(next).collect()
                }
            };
        }
        if self.reaches_inside { at.contains(&true) } else { at.last() == Some(&true) }
    }
}

/// A path's folders and its file, letter by letter.
pub(super) struct Names(Vec<Vec<char>>);

impl Names {
    pub fn of(path: &str) -> Self {
        Self(path.split('/').map(|name| name.chars().collect()).collect())
    }
}

fn read_part(name: &str) -> Result<Part, String> {
    if name == "**" {
        return Ok(Part::Any);
    }
    if name.contains("**") {
        return Err("has `**` beside other characters, where it means nothing".to_owned());
    }
    let mut pieces = Vec::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Run,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().ok_or("ends in a backslash")?),
            other => Piece::Char(other),
        });
    }
    Ok(Part::Name(pieces))
}

/// Whether a name is what the pieces say: goes back to the last `*` only, so it takes pieces times characters at most.
fn is_name(pieces: &[Piece], chars: &[char]) -> bool {
    let (mut piece, mut char) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while char < chars.len() {
        match (pieces.get(piece), chars.get(char)) {
            (Some(Piece::Run), _) => {
                back = Some((piece, char));
                piece += 1;
                continue;
            }
            (Some(Piece::One), _) => {}
            (Some(Piece::Char(wanted)), Some(c)) if wanted == c => {}
            _ => match &mut back {
                Some((run, from)) => {
                    *from += 1;
                    (piece, char) = (*run + 1, *from);
                    continue;
                }
                None => return false,
            },
        }
        piece += 1;
        char += 1;
    }
    pieces.get(piece..).unwrap_or_default().iter().all(|left| *left == Piece::Run)
}
