//! `--compare A B`: two prompt files, or two models, on one golden set. A plays base, B plays head; needs no Git.

use super::discover::{self, Place};
use super::files::Files;
use super::ground;
use super::load::{self, LoadError, LoadedPrompt, about};
use super::local::{self, Gathered, LocalError, LocalOptions};
use super::plan::Pair;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::golden;
use crate::domain::governed::Governed;
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::prompt::Format;

/// What is compared.
enum Rivals {
    Files([PromptPath; 2]),
    Models([ModelId; 2]),
}

/// Where everything is read from.
struct Ground {
    place: Place,
    files: Files,
    all: Vec<PromptPath>,
    golden: Option<PromptPath>,
}

/// Reads what A and B name. Two models go into the overrides.
///
/// # Errors
/// When they are not two of a kind, something named is not there, or a file is wrong.
pub async fn gather(
    options: &mut LocalOptions,
    names: [&str; 2],
    golden: Option<&str>,
) -> Result<Gathered, LocalError> {
    let place = match names.iter().find(|name| is_file(options, name)) {
        Some(file) => discover::place(&options.folder, &[(*file).to_owned()]).await?,
        None => discover::place(&options.folder, &options.paths).await?,
    };
    let (files, _, all) = ground::head_side(&place, None).await?;
    let golden = golden.map(|path| discover::file(&options.folder, &place, path)).transpose()?;
    let mut warnings = Vec::new();
    let settings_path = ground::settings_path(&options.folder, &place, (None, &files), options.settings.as_deref())?;
    let settings = local::settings_of((None, &files), &settings_path, &mut warnings).await?;
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let ground = Ground { place, files, all, golden };
    let (pairs, rivals) = match rivals(options, &ground.place, names)? {
        Rivals::Files([a, b]) => {
            let pairs = two_files(&ground, &a, &b, &mut warnings).await?;
            (pairs, [a.to_string(), b.to_string()])
        }
        Rivals::Models([a, b]) => {
            let pairs = two_models(options, &ground, &governed, &mut warnings).await?;
            let rivals = [a.to_string(), b.to_string()];
            (options.overrides.base_model, options.overrides.model) = (Some(a), Some(b));
            (pairs, rivals)
        }
    };
    let removed = Vec::new();
    Ok(Gathered { settings, pairs, base: None, head: None, warnings, rivals: Some(rivals), unchanged: 0, removed })
}

/// A name is a file's if one is there, or if it ends like a prompt file.
fn is_file(options: &LocalOptions, name: &str) -> bool {
    let ends_so = PromptPath::parse(name.trim_start_matches("./")).is_ok_and(|path| Format::of(&path).is_some());
    ends_so || options.folder.join(name).is_file()
}

fn rivals(options: &LocalOptions, place: &Place, names: [&str; 2]) -> Result<Rivals, LocalError> {
    match names.map(|name| is_file(options, name)) {
        [true, true] if options.paths.is_empty() => {
            let [a, b] = names.map(|name| discover::file(&options.folder, place, name));
            Ok(Rivals::Files([a?, b?]))
        }
        [true, true] => {
            let message =
                "--compare names two prompt files already; leave out the paths, or compare two models on them";
            Err(LocalError::Input(message.to_owned()))
        }
        [false, false] if options.overrides.model.is_some() => {
            Err(LocalError::Input("--compare names two models already; leave out --model".to_owned()))
        }
        [false, false] => {
            let [a, b] = names.map(|name| {
                ModelId::parse(name).map_err(|error| {
                    LocalError::Input(format!("--compare: no prompt file at `{name}`, and as a model: {error}"))
                })
            });
            Ok(Rivals::Models([a?, b?]))
        }
        [a_is_file, _] => {
            let (file, other) = if a_is_file { (names[0], names[1]) } else { (names[1], names[0]) };
            Err(LocalError::Input(format!(
                "--compare: `{file}` is a prompt file and `{other}` is none; name two prompt files, or two models"
            )))
        }
    }
}

/// Both files' prompts; of files with several, those of one label are paired.
async fn two_files(
    ground: &Ground,
    a: &PromptPath,
    b: &PromptPath,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<Pair>, LocalError> {
    let mut findings = Vec::new();
    let a_side = local::load_side(&ground.files, a, &mut findings).await?;
    let b_side = local::load_side(&ground.files, b, &mut findings).await?;
    let single = a_side.len() == 1 && b_side.len() == 1;
    let (sides, mut rest) = load::pair_up(a_side, b_side);
    let mut pairs = Vec::new();
    for (base, head) in sides {
        let base = base.or_else(|| rest.pop().filter(|_| single));
        let Some(base) = base else {
            let message = format!("`{}` of {b} has no prompt of that name in {a}", head.prompt.name);
            warnings.push(about("no-counterpart", b, message, "give both the same label").into_warning());
            continue;
        };
        pairs.extend(pair(ground, b, base, head, &mut findings, warnings).await?);
    }
    if !findings.is_empty() {
        return Err(LocalError::Findings(findings));
    }
    if pairs.is_empty() {
        return Err(LocalError::Input(format!("{a} and {b} have no prompt in common; give both the same label")));
    }
    Ok(pairs)
}

/// Every prompt that is meant, against itself.
async fn two_models(
    options: &LocalOptions,
    ground: &Ground,
    governed: &Governed,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<Pair>, LocalError> {
    let paths = discover::select(&options.folder, &ground.place, &options.paths, &ground.all, governed)?;
    let (mut pairs, mut findings) = (Vec::new(), Vec::new());
    for path in &paths {
        for head in local::load_side(&ground.files, path, &mut findings).await? {
            if head.golden.is_none() && ground.golden.is_none() && options.paths.is_empty() {
                warnings.push(local::no_golden_set(path).into_warning());
                continue;
            }
            pairs.extend(pair(ground, path, head.clone(), head, &mut findings, warnings).await?);
        }
    }
    if !findings.is_empty() {
        return Err(LocalError::Findings(findings));
    }
    if pairs.is_empty() {
        let message = "no prompt files with a golden set found; name them, or a golden set with --golden";
        return Err(LocalError::Input(message.to_owned()));
    }
    Ok(pairs)
}

/// One pair with one golden set on both sides: the named one, else B's, else A's.
async fn pair(
    ground: &Ground,
    path: &PromptPath,
    mut base: LoadedPrompt,
    mut head: LoadedPrompt,
    findings: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Option<Pair>, LocalError> {
    if let Some(set) = &ground.golden {
        match load::golden_at(&ground.files, set, &head.prompt).await {
            Ok(parsed) => {
                warnings.extend(parsed.warnings);
                head.golden = Some(parsed.value);
            }
            Err(LoadError::Input(found)) => {
                findings.extend(found);
                return Ok(None);
            }
            Err(LoadError::Files(error)) => return Err(error.into()),
        }
    }
    let Some(set) = head.golden.take().or_else(|| base.golden.take()) else {
        findings.push(local::no_golden_set(path));
        return Ok(None);
    };
    // The set was read for one of the two; the other has to be filled from it too.
    for finding in [&base, &head].into_iter().flat_map(|side| golden::check_variables(&side.prompt, &set)) {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    warnings.append(&mut head.warnings);
    (base.golden, head.golden) = (Some(set.clone()), Some(set));
    Ok(Some(Pair { path: path.clone(), base: Some(base), head }))
}
