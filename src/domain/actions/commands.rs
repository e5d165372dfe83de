//! Workflow commands as the runner reads them, and how text from outside is kept from being one. Pure text.

use crate::domain::report::annotations::{Annotation, Level};

/// Annotations of one kind that GitHub shows for a step.
pub const PER_STEP: usize = 10;

/// A value of a command: what would end its line is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of a property: what would end the property or the list is escaped too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Hides a secret in the runner's log, line by line: the runner looks at single lines.
#[must_use]
pub fn mask(secret: &str) -> String {
    let parts = std::iter::once(secret).chain(secret.lines());
    let mut parts: Vec<&str> = parts.map(str::trim).filter(|part| part.chars().count() >= 4).collect();
    parts.dedup();
    parts.iter().map(|part| format!("::add-mask::{}\n", data(part))).collect()
}

/// A remark about no file.
#[must_use]
pub fn remark(kind: Kind, title: &str, message: &str) -> String {
    format!("::{} title={}::{}\n", kind.word(), property(title), data(message))
}

/// What a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Has to be fixed.
    Error,
    /// Worth a look.
    Warning,
    /// Good to know.
    Notice,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Annotations on lines of files; `taken` are those of the two kinds that the step has made already. The last line says how
/// many are left out.
#[must_use]
pub fn annotations(all: &[Annotation], taken: (usize, usize)) -> String {
    let mut room = (PER_STEP.saturating_sub(taken.0), PER_STEP.saturating_sub(taken.1));
    let (mut text, mut left_out) = (String::new(), (0_usize, 0_usize));
    for annotation in all {
        let (room, left_out) = match annotation.level {
            Level::Failure => (&mut room.0, &mut left_out.0),
            Level::Warning => (&mut room.1, &mut left_out.1),
        };
        if *room == 0 {
            *left_out += 1;
        } else {
            *room -= 1;
            text.push_str(&line(annotation));
        }
    }
    if left_out != (0, 0) {
        let message = format!(
            "{} more errors and {} more warnings are in the job summary: GitHub shows {PER_STEP} of each for a step.",
            left_out.0, left_out.1
        );
        text.push_str(&remark(Kind::Notice, "More findings", &message));
    }
    text
}

fn line(annotation: &Annotation) -> String {
    let kind = match annotation.level {
        Level::Failure => Kind::Error,
        Level::Warning => Kind::Warning,
    };
    let mut place = format!("file={},line={}", property(annotation.path.as_str()), annotation.start_line);
    // Columns are for one line only.
    match annotation.columns {
        Some((first, last)) => place.push_str(&format!(",col={first},endColumn={last}")),
        None => place.push_str(&format!(",endLine={}", annotation.end_line)),
    }
    format!("::{} {place},title={}::{}\n", kind.word(), property(&annotation.title), data(&annotation.message))
}

/// From here on the runner prints and does not obey, until [`resume`]; `token` must not be guessable.
#[must_use]
pub fn stop(token: &str) -> String {
    format!("::stop-commands::{token}\n")
}

/// The runner obeys again.
#[must_use]
pub fn resume(token: &str) -> String {
    format!("::{token}::\n")
}

/// One output. The value ends at a line that is the delimiter, so it must not hold one.
#[must_use]
pub fn output(name: &str, value: &str, delimiter: &str) -> String {
    let value = value.replace(delimiter, "");
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;
    use proptest::prelude::*;

    fn annotation(level: Level, path: &str, message: &str) -> Annotation {
        let path = PromptPath::parse(path).expect("a path");
        let (title, message) = ("a, b: c".to_owned(), message.to_owned());
        Annotation { path, start_line: 2, end_line: 4, columns: None, level, title, message }
    }

    #[test]
    fn an_annotation_is_one_line_whatever_it_says() {
        let found = annotations(&[annotation(Level::Failure, "a,b/c%.prompt.yml", "50 %\n::set-output::x\r")], (0, 0));
        assert_eq!(
            found,
            "::error file=a%2Cb/c%25.prompt.yml,line=2,endLine=4,title=a%2C b%3A c::50 %25%0A::set-output::x%0D\n"
        );
        let columns = Annotation { columns: Some((3, 7)), ..annotation(Level::Warning, "a.yml", "x") };
        assert_eq!(
            annotations(&[columns], (0, 0)),
            "::warning file=a.yml,line=2,col=3,endColumn=7,title=a%2C b%3A c::x\n"
        );
    }

    #[test]
    fn what_github_would_not_show_is_counted() {
        let check = |errors: usize, warnings: usize, taken: (usize, usize), lines: usize, last: &str| {
            let mut all = vec![annotation(Level::Failure, "a.yml", "x"); errors];
            all.extend(vec![annotation(Level::Warning, "a.yml", "x"); warnings]);
            let text = annotations(&all, taken);
            assert_eq!(text.lines().count(), lines);
            assert!(text.lines().last().unwrap_or_default().contains(last), "{text}");
        };
        check(10, 10, (0, 0), 20, "warning");
        check(12, 11, (0, 0), 21, "2 more errors and 1 more warnings");
        check(10, 0, (1, 0), 10, "1 more errors and 0 more warnings");
    }

    #[test]
    fn every_line_of_a_secret_is_hidden() {
        assert_eq!(mask("one-key%"), "::add-mask::one-key%25\n");
        assert_eq!(
            mask("-----KEY\nabcdefgh\n"),
            "::add-mask::-----KEY%0Aabcdefgh\n::add-mask::-----KEY\n::add-mask::abcdefgh\n"
        );
        assert_eq!(mask("abc"), "");
    }

    #[test]
    fn an_output_cannot_end_early() {
        assert_eq!(output("score", "1\nEND\nx<<END\n2", "END"), "score<<END\n1\n\nx<<\n2\nEND\n");
    }

    proptest! {
        #[test]
        fn no_message_starts_a_command_of_its_own(message in ".{0,40}(\r|\n)?::error::.{0,40}", title in ".{0,40}") {
            let text = remark(Kind::Warning, &title, &message);
            prop_assert_eq!(text.matches(['\n', '\r']).count(), 1);
            prop_assert!(text.starts_with("::warning title="));
        }
    }
}
