//! promptfoo's `tests`, `defaultTest` and `scenarios`, from the config and from files, as one list of tests.

use super::pointer;
use super::refusal::Refusal;
use super::shelf::{self, File, Shelf};
use super::test::{self, Test, VarValue};
use crate::domain::diagnostic::Location;
use crate::domain::golden::csv::{self, Dialect, Row};
use crate::domain::golden::json_line;
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::reader::{Reader, Unknown};

/// Most tests of one config, before they are expanded.
const MAX_TESTS: usize = 200_000;

/// The readers of the config and of its files of tests.
pub(super) struct Readers<'a> {
    config: Reader<'a>,
    files: Vec<Reader<'a>>,
}

impl<'a> Readers<'a> {
    /// The config's reader, and no files yet.
    pub fn new(config: Reader<'a>) -> Self {
        Self { config, files: Vec::new() }
    }

    /// The config's reader.
    pub fn config(&mut self) -> &mut Reader<'a> {
        &mut self.config
    }

    /// The reader of a file by its number; 0 is the config.
    pub fn of(&mut self, file: usize) -> &mut Reader<'a> {
        match file.checked_sub(1).and_then(|index| self.files.get_mut(index)) {
            Some(reader) => reader,
            None => &mut self.config,
        }
    }

    /// Keeps the reader of a file, and gives the file its number.
    fn keep(&mut self, reader: Reader<'a>) -> usize {
        self.files.push(reader);
        self.files.len()
    }

    /// The number that the next file gets.
    fn next(&self) -> usize {
        self.files.len() + 1
    }

    /// How many errors there are in all files.
    pub fn errors(&self) -> usize {
        self.config.errors() + self.files.iter().map(Reader::errors).sum::<usize>()
    }

    /// All readers, the config's first.
    pub fn all(self) -> impl Iterator<Item = Reader<'a>> {
        std::iter::once(self.config).chain(self.files)
    }
}

/// Where tests are read: the file's number, the whole file, and where the config names it.
struct Place<'n> {
    file: usize,
    root: &'n Node,
    origin: Option<Location>,
}

/// Reads `defaultTest`: a partial test, or a file that holds one.
pub(super) fn defaults<'a>(readers: &mut Readers<'a>, shelf: &mut Shelf<'a>, root: &Node, node: &Node) -> Option<Test> {
    let Kind::Text(path) = &node.kind else {
        let config = shelf.config();
        let node = pointer::follow(readers.config(), root, node)?;
        return test::read(readers.config(), shelf, root, node, config);
    };
    let files = named(readers, shelf, path, node.at);
    for (path, bytes) in files {
        let Some((file, inner)) = document(readers, (path, bytes)) else { continue };
        let mut read = test::read(readers.of(file), shelf, &inner, &inner, path)?;
        read.file = file;
        return Some(read);
    }
    None
}

/// Reads `tests`.
pub(super) fn tests<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    root: &Node,
    node: &Node,
    into: &mut Vec<Test>,
) {
    let place = Place { file: 0, root, origin: None };
    match &node.kind {
        Kind::Null => {}
        Kind::List(items) => items.iter().for_each(|item| one(readers, shelf, &place, item, into)),
        _ => one(readers, shelf, &place, node, into),
    }
    if into.len() > MAX_TESTS {
        let message = format!("{} tests, at most {MAX_TESTS} are read from one config", into.len());
        readers.config().error("too-many", node.at, message, "split the config");
        into.clear();
    }
}

fn one<'a>(readers: &mut Readers<'a>, shelf: &mut Shelf<'a>, place: &Place<'_>, item: &Node, into: &mut Vec<Test>) {
    let config = shelf.config();
    match &item.kind {
        Kind::Text(path) => {
            for file in named(readers, shelf, path, item.at) {
                of_file(readers, shelf, file, item.at, into);
            }
        }
        Kind::Map(_) if item.get("path").is_some() => {
            let path = item.get("path").and_then(|node| readers.config().words(node, "path"));
            for file in path.map(|path| named(readers, shelf, &path, item.at)).unwrap_or_default() {
                of_file(readers, shelf, file, item.at, into);
            }
        }
        _ => {
            if let Some(node) = pointer::follow(readers.of(place.file), place.root, item)
                && let Some(read) = test::read(readers.of(place.file), shelf, place.root, node, config)
            {
                into.push(Test { file: place.file, origin: place.origin, ..read });
            }
        }
    }
}

fn named<'a>(readers: &mut Readers<'a>, shelf: &mut Shelf<'a>, path: &str, at: Location) -> Vec<File<'a>> {
    match shelf.find(shelf.config(), path, Change::GoldenSet) {
        Ok(files) => files,
        Err(refused) => {
            refused.tell(readers.config(), at);
            Vec::new()
        }
    }
}

/// A file as nodes, with a reader of its own.
fn document<'a>(readers: &mut Readers<'a>, (path, bytes): File<'a>) -> Option<(usize, Node)> {
    let read = shelf::source(path, bytes).and_then(|source| Ok((shelf::document(&source)?, source)));
    match read {
        Ok((node, source)) => Some((readers.keep(Reader::new(source)), node)),
        Err(finding) => {
            readers.config().push(*finding);
            None
        }
    }
}

fn of_file<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    file: File<'a>,
    origin: Location,
    into: &mut Vec<Test>,
) {
    match super::refusal::ending(file.0.as_str()) {
        "csv" => of_csv(readers, shelf, file, origin, into),
        "jsonl" => of_lines(readers, shelf, file, origin, into),
        "json" | "yaml" | "yml" => {
            let Some((number, node)) = document(readers, file) else { return };
            let items = match &node.kind {
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&node),
            };
            for item in items {
                of_node(readers, shelf, (number, file), &node, item, origin, into);
            }
        }
        _ => {
            let message = format!("`{}` is in no form of tests that is read", file.0);
            let refused = Refusal::new("unknown-format", message, "use .csv, .yaml, .json or .jsonl");
            refused.tell(readers.config(), origin);
        }
    }
}

fn of_node<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    (number, file): (usize, File<'a>),
    root: &Node,
    item: &Node,
    origin: Location,
    into: &mut Vec<Test>,
) {
    let reader = readers.of(number);
    if let Some(item) = pointer::follow(reader, root, item)
        && let Some(read) = test::read(reader, shelf, root, item, file.0)
    {
        into.push(Test { file: number, origin: Some(origin), ..read });
    }
}

fn of_lines<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    file: File<'a>,
    origin: Location,
    into: &mut Vec<Test>,
) {
    let source = match shelf::source(file.0, file.1) {
        Ok(source) => source,
        Err(finding) => return readers.config().push(*finding),
    };
    let text = source.text;
    let number = readers.keep(Reader::new(source));
    for (line_number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match json_line::parse(line_number, line) {
            Ok(node) => of_node(readers, shelf, (number, file), &node, &node, origin, into),
            Err(error) => readers.of(number).error(error.code, error.at, error.message, error.help),
        }
    }
}

fn of_csv<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    file: File<'a>,
    origin: Location,
    into: &mut Vec<Test>,
) {
    let source = match shelf::source(file.0, file.1) {
        Ok(source) => source,
        Err(finding) => return readers.config().push(*finding),
    };
    let number = readers.next();
    let mut reader = Reader::new(source);
    csv::rows(&mut reader, Dialect::Promptfoo, &mut |reader, row| {
        if let Some(row) = row
            && let Some(read) = of_row(reader, shelf, row)
        {
            into.push(Test { file: number, origin: Some(origin), ..read });
        }
    });
    readers.keep(reader);
}

fn of_row(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, row: Row) -> Option<Test> {
    let Row { case, prefix, suffix, description } = row;
    let mut vars = Vec::with_capacity(case.vars.len());
    for (name, value) in &case.vars {
        let value = match value.as_str().filter(|text| text.starts_with("file://")) {
            Some(path) => test::files(reader, shelf, path, case.at)?,
            None => VarValue::One(shelf::tidy(value.clone())),
        };
        vars.push((name.clone(), value));
    }
    for text in [&prefix, &suffix].into_iter().flatten() {
        if super::refusal::tell_nunjucks(reader, text, case.at) {
            return None;
        }
    }
    Some(Test {
        at: Some(case.at),
        id: case.id,
        description,
        vars,
        assertions: super::assertion::Assertions { written: case.evaluators, sets: Vec::new() },
        threshold: case.threshold,
        prefix,
        suffix,
        tags: case.tags,
        ..Test::default()
    })
}

/// Reads `scenarios`: every set of data with every test.
pub(super) fn scenarios<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    root: &Node,
    node: &Node,
    into: &mut Vec<Test>,
) {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for item in items {
        if let Kind::Text(path) = &item.kind {
            for file in named(readers, shelf, path, item.at) {
                let Some((number, inner)) = document(readers, file) else { continue };
                let place = Place { file: number, root: &inner, origin: Some(item.at) };
                match &inner.kind {
                    Kind::List(items) => items.iter().for_each(|item| scenario(readers, shelf, &place, item, into)),
                    _ => scenario(readers, shelf, &place, &inner, into),
                }
            }
        } else {
            let place = Place { file: 0, root, origin: None };
            scenario(readers, shelf, &place, item, into);
        }
    }
}

fn scenario<'a>(
    readers: &mut Readers<'a>,
    shelf: &mut Shelf<'a>,
    place: &Place<'_>,
    node: &Node,
    into: &mut Vec<Test>,
) {
    let reader = readers.of(place.file);
    let Some(fields) = reader.fields(node, "a scenario", &["description", "config", "tests"], Unknown::Refused) else {
        return;
    };
    let Some(data) = fields.get("config") else {
        reader.error("missing-key", node.at, "a scenario needs `config`", "add a list of `vars`");
        return;
    };
    let (mut sets, mut inner) = (Vec::new(), Vec::new());
    for (node, list) in [(Some(data), &mut sets), (fields.get("tests"), &mut inner)] {
        match node.map(|node| (&node.kind, node)) {
            None | Some((Kind::Null, _)) => {}
            Some((Kind::List(items), _)) => items.iter().for_each(|item| one(readers, shelf, place, item, list)),
            Some((_, node)) => one(readers, shelf, place, node, list),
        }
    }
    if fields.get("tests").is_none() {
        inner.push(Test { file: place.file, at: Some(node.at), origin: place.origin, ..Test::default() });
    }
    if sets.len().saturating_mul(inner.len()) > MAX_TESTS {
        let message = format!("the scenario makes {} tests, at most {MAX_TESTS} are read", sets.len() * inner.len());
        readers.of(place.file).error("too-many", node.at, message, "split the scenario");
        return;
    }
    for set in &sets {
        into.extend(inner.iter().map(|test| test.clone().over(set)));
    }
}
