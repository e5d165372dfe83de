//! `promptops audit`: walks the log's chain, and writes its entries out. Holds a page of it at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use secrecy::ExposeSecret;

use super::args::{AuditArguments, AuditCommand, AuditExportArguments, AuditFormat, AuditVerifyArguments};
use super::exit::{CommandError, Outcome};
use super::show;
use crate::config;
use crate::domain::audit::AuditEntry;
use crate::domain::audit::chain::{Broken, Chain, Link, Pin};
use crate::domain::audit::export::Form;
use crate::store::{Store, StoreError};

/// Entries that are held at once.
const PAGE: i64 = 500;
/// Longest line of an exported file.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &AuditArguments) -> Result<Outcome, CommandError> {
    match &arguments.command {
        AuditCommand::Verify(arguments) => verify(arguments).await,
        AuditCommand::Export(arguments) => export(arguments).await,
    }
}

async fn verify(arguments: &AuditVerifyArguments) -> Result<Outcome, CommandError> {
    let (chain, walked) = match &arguments.file {
        Some(file) => walk_file(file, arguments.expect)?,
        None => walk_store(&open().await?, arguments.expect).await?,
    };
    match (walked, chain.first(), chain.last()) {
        (Err(broken), ..) => {
            show::error(&format!("the audit log is broken: {broken}; keep the database and its backups as they are"));
            Ok(Outcome::Blocked)
        }
        (Ok(()), Some(first), Some(Pin { seq, digest })) => {
            println!("the audit log holds: entries {first} to {seq}");
            if first > 1 {
                println!("what was before entry {first} is not in this file");
            }
            println!("last: {seq}:{digest}");
            Ok(Outcome::Passed)
        }
        (Ok(()), ..) => {
            println!("the audit log is empty");
            Ok(Outcome::Passed)
        }
    }
}

/// How far a walk came, and how it ended.
type Walked = (Chain, Result<(), Broken>);

/// Entries may be appended meanwhile: the walk ends where the remembered end is that of the last entry read.
async fn walk_store(store: &Store, noted: Option<Pin>) -> Result<Walked, CommandError> {
    let mut chain = Chain::whole(noted);
    loop {
        // The end is read first: what it names was committed with it, so all of that must be in what is read then.
        let end = store.audit_end().await.map_err(|error| failed(&error))?;
        loop {
            let last = chain.last().map_or(0, |last| last.seq);
            let page = store.audit_after(last, PAGE).await.map_err(|error| failed(&error))?;
            if page.is_empty() {
                break;
            }
            if let Err(broken) = page.iter().try_for_each(|entry| chain.follow(entry)) {
                return Ok((chain, Err(broken)));
            }
        }
        let last = chain.last().map_or(0, |last| last.seq);
        let grown =
            end.is_none_or(|end| end.seq < last) && store.audit_end().await.map_err(|error| failed(&error))? != end;
        if !grown {
            // Entries without a remembered end were not appended by us.
            let end = end.or_else(|| chain.last().map(|last| Pin { seq: 0, ..last }));
            let finished = chain.finish(end);
            return Ok((chain, finished));
        }
    }
}

fn walk_file(path: &Path, noted: Option<Pin>) -> Result<Walked, CommandError> {
    let mut chain = Chain::part(noted);
    let mut lines = Lines::open(path)?;
    let Some(first) = lines.next()? else { return Ok((chain.clone(), chain.finish(None))) };
    let form = Form::of(&first).ok_or_else(|| lines.wrong("is no exported audit log"))?;
    let mut line = if form.head().is_some() { lines.next()? } else { Some(first) };
    while let Some(text) = line {
        let entry = form.read(&text).ok_or_else(|| lines.wrong("holds no entry"))?;
        if let Err(broken) = chain.follow(&entry) {
            return Ok((chain, Err(broken)));
        }
        line = lines.next()?;
    }
    let finished = chain.finish(None);
    Ok((chain, finished))
}

/// The lines of a file, each of bearable length.
struct Lines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    number: usize,
}

impl<'p> Lines<'p> {
    fn open(path: &'p Path) -> Result<Self, CommandError> {
        let file = File::open(path)
            .map_err(|error| CommandError::Input(format!("cannot read {}: {error}; check the path", path.display())))?;
        Ok(Self { path, reader: BufReader::new(file), number: 0 })
    }

    fn next(&mut self) -> Result<Option<String>, CommandError> {
        self.number += 1;
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes);
        read.map_err(|error| CommandError::World(format!("cannot read {}: {error}", self.path.display())))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !bytes.ends_with(b"\n") && bytes.len() as u64 == LONGEST_LINE {
            return Err(self.wrong("is longer than any entry"));
        }
        let text = String::from_utf8(bytes).map_err(|_| self.wrong("is no text"))?;
        Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn wrong(&self, what: &str) -> CommandError {
        let (path, line) = (self.path.display(), self.number);
        CommandError::Input(format!("{path}:{line}: the line {what}; take a file that `promptops audit export` wrote"))
    }
}

async fn export(arguments: &AuditExportArguments) -> Result<Outcome, CommandError> {
    let store = open().await?;
    let form = match arguments.format {
        AuditFormat::Jsonl => Form::Jsonl,
        AuditFormat::Csv => Form::Csv,
    };
    let mut out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(|error| {
            CommandError::Input(format!("cannot write {}: {error}; name another file", path.display()))
        })?)),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let written = |error: std::io::Error| CommandError::World(format!("the entries cannot be written: {error}"));
    if let Some(head) = form.head() {
        writeln!(out, "{head}").map_err(written)?;
    }
    let mut last = 0;
    loop {
        let page = store.audit_after(last, PAGE).await.map_err(|error| failed(&error))?;
        let Some(end) = page.last() else { break };
        last = end.seq;
        for entry in page.iter().filter(|entry| is_asked_for(entry, arguments)) {
            writeln!(out, "{}", form.line(entry)).map_err(written)?;
        }
    }
    out.flush().map_err(written)?;
    Ok(Outcome::Passed)
}

/// What cannot be read is never left out.
fn is_asked_for(link: &Link, arguments: &AuditExportArguments) -> bool {
    let Ok(entry) = serde_json::from_str::<AuditEntry>(&link.body) else { return true };
    arguments.since.is_none_or(|since| entry.at_ms >= since)
        && arguments.repo.as_ref().is_none_or(|repo| entry.repo.as_str().eq_ignore_ascii_case(repo.as_str()))
}

async fn open() -> Result<Store, CommandError> {
    let url = config::process().database_url().map_err(|error| CommandError::Input(error.to_string()))?;
    let store = Store::open_to_read(url.expose_secret()).await.map_err(|error| failed(&error))?;
    match store.check_audit_tables().await {
        Ok(()) => Ok(store),
        Err(error @ StoreError::NoTables) => Err(CommandError::Input(error.to_string())),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &StoreError) -> CommandError {
    CommandError::World(super::chain(error))
}
