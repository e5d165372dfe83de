//! How long the search for near-duplicates takes over 10,000 prompts of one library: listing them all, one search, and a search
//! for each. Prints the figures and exits with 1 where one is above what we promise.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should panic")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use promptops::domain::ids::PromptPath;
use promptops::domain::lint::near_duplicate::Index;

const PROMPTS: usize = 10_000;
/// Words of a prompt beside what all share.
const WORDS: usize = 180;
/// Words that the prompts are made of.
const VOCABULARY: u32 = 4_000;
/// Every prompt of this number is a copy of the one before, a few words changed.
const COPY_EVERY: usize = 100;
/// Listing all prompts and searching for one.
const LIMIT: Duration = Duration::from_millis(200);
const SEED: u64 = 0x5eed;

fn prompts() -> Vec<(PromptPath, String)> {
    let mut draws = fastrand::Rng::with_seed(SEED);
    let house = "You work for Acme. Answer in the customer's language, in short sentences, and promise nothing.";
    let mut texts: Vec<Vec<String>> = Vec::with_capacity(PROMPTS);
    for number in 0..PROMPTS {
        let mut words = match texts.last() {
            Some(last) if number % COPY_EVERY == 0 => last.clone(),
            _ => (0..WORDS).map(|_| format!("word{}", draws.u32(..VOCABULARY))).collect(),
        };
        if number % COPY_EVERY == 0 {
            for _ in 0..3 {
                words[draws.usize(..WORDS)] = format!("word{}", draws.u32(..VOCABULARY));
            }
        }
        texts.push(words);
    }
    let named = |(number, words): (usize, Vec<String>)| {
        let path = PromptPath::parse(&format!("prompts/{number:05}.prompt.yml")).unwrap();
        (path, format!("System:\n{house}\nUser:\n{} {{{{question}}}}\n", words.join(" ")))
    };
    texts.into_iter().enumerate().map(named).collect()
}

fn main() -> ExitCode {
    let prompts = prompts();
    let started = Instant::now();
    let index = Index::new(prompts.iter().map(|(path, text)| (path.clone(), text.as_str())));
    let listed = started.elapsed();
    let search = |at: usize| {
        let (path, text) = &prompts[at];
        index.nearest(text, |other| other != path)
    };
    let started = Instant::now();
    let found = black_box(search(COPY_EVERY));
    let one = started.elapsed();
    assert!(found.is_some(), "the copy is found");
    let started = Instant::now();
    let copies = (0..PROMPTS).filter(|at| search(*at).is_some()).count();
    let each = started.elapsed();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{PROMPTS} prompts: listed in {:.1} ms, one search {:.3} ms, a search for each {:.1} ms, {copies} alike",
        milliseconds(listed),
        milliseconds(one),
        milliseconds(each),
    );
    if listed + one <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
