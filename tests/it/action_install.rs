//! `action/install.sh`: which program it takes from where, and what it refuses.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::http::{StatusCode, Uri};

use crate::support::runner::{Installed, Runner, TARGET, VERSION, stand_in};

/// Asserts how it ended and that all of this was said.
#[track_caller]
fn check(installed: &Installed, code: i32, said: &[&str]) {
    assert_eq!(installed.code, code, "{installed:?}");
    for part in said {
        assert!(installed.said.contains(part), "`{part}` was not said: {}", installed.said);
    }
    assert_eq!(code == 0, installed.outputs.contains("binary="), "{installed:?}");
}

fn archive() -> String {
    format!("promptops-{VERSION}-{TARGET}.tar.gz")
}

/// A `gh` that can verify, keeps its arguments, and ends so.
fn gh(code: i32) -> String {
    format!(
        "#!/bin/sh\ncase \"$*\" in *--help) echo --source-ref; exit;; esac\n\
         echo \"$GH_HOST $*\" >>\"$HOME-gh.txt\"\necho signed by someone else\nexit {code}\n"
    )
}

#[test]
fn the_release_of_the_actions_own_version_is_installed_and_kept() {
    let runner = Runner::new().bare();
    let kept = runner.file(format!("tools/promptops/{VERSION}/Linux-X64/promptops"));
    check(&runner.install(), 0, &["was not checked: this runner has no `gh` that can", &kept.display().to_string()]);
    fs::remove_dir_all(runner.file("mirror")).unwrap();
    let again = runner.install();
    check(&again, 0, &[]);
    assert_eq!(again.outputs, format!("binary={}\n", kept.display()));
    assert_eq!(again.said, format!("promptops {VERSION}: {}\n", kept.display()), "nothing is downloaded twice");
}

#[test]
fn a_version_is_chosen_with_or_without_its_v() {
    for wanted in ["9.8.7", "v9.8.7"] {
        let runner = Runner::new().bare().with("INPUT_VERSION", wanted);
        runner.publish("9.8.7", TARGET, &stand_in("9.8.7"));
        check(&runner.install(), 0, &["promptops 9.8.7: "]);
    }
}

#[test]
fn each_platform_has_its_archive() {
    for (system, machine, target) in [
        ("Linux", "ARM64", "aarch64-unknown-linux-musl"),
        ("macOS", "X64", "x86_64-apple-darwin"),
        ("macOS", "ARM64", "aarch64-apple-darwin"),
    ] {
        let runner = Runner::new().bare().with("RUNNER_OS", system).with("RUNNER_ARCH", machine);
        fs::remove_file(runner.release(VERSION).join(archive())).unwrap();
        runner.publish(VERSION, target, &stand_in(VERSION));
        check(&runner.install(), 0, &[&format!("/{system}-{machine}/promptops")]);
    }
    let windows = Runner::new().bare().with("RUNNER_OS", "Windows");
    check(&windows.install(), 2, &[&format!("promptops-{VERSION}-x86_64-pc-windows-msvc.zip")]);
}

#[test]
fn a_changed_archive_is_not_installed() {
    let runner = Runner::new().with_program("cargo", "#!/bin/sh\necho cargo ran\n");
    fs::write(runner.release(VERSION).join(archive()), "something else").unwrap();
    let installed = runner.install();
    check(&installed, 3, &["::error", "the checksum of ", "nothing was installed"]);
    assert!(!installed.said.contains("cargo ran"), "no fallback hides a wrong checksum");
    assert!(!runner.file("tools/promptops").exists());
}

#[test]
fn what_cannot_be_checked_is_not_installed() {
    let runner = Runner::new().bare();
    fs::write(runner.release(VERSION).join("SHA256SUMS"), "0000  other.tar.gz\n").unwrap();
    check(&runner.install(), 3, &["does not list promptops-"]);
    fs::remove_file(runner.release(VERSION).join("SHA256SUMS")).unwrap();
    check(&runner.install(), 3, &["has no SHA256SUMS"]);
}

#[test]
fn provenance_is_verified_against_the_release_workflow_of_that_tag() {
    let runner = Runner::new().with_program("gh", &gh(0));
    fs::write(runner.release(VERSION).join("provenance.jsonl"), "{}").unwrap();
    let installed = runner.install();
    check(&installed, 0, &[]);
    assert!(!installed.said.contains("::warning"), "{installed:?}");
    let asked = fs::read_to_string(runner.file("home-gh.txt")).unwrap();
    for part in [
        "github.com attestation verify ",
        &archive(),
        "--bundle ",
        "--repo promptops/promptops ",
        "--signer-workflow promptops/promptops/.github/workflows/release.yml ",
        &format!("--source-ref refs/tags/v{VERSION} "),
        "--deny-self-hosted-runners",
    ] {
        assert!(asked.contains(part), "`{part}` was not asked: {asked}");
    }
}

#[test]
fn wrong_provenance_stops_and_a_mirror_without_any_is_warned_of() {
    let wrong = Runner::new().with_program("gh", &gh(1));
    fs::write(wrong.release(VERSION).join("provenance.jsonl"), "{}").unwrap();
    check(&wrong.install(), 3, &["is not that of promptops/promptops's release workflow", "signed by someone else"]);
    let none = Runner::new().with_program("gh", &gh(1));
    check(&none.install(), 0, &["::warning", "has no provenance.jsonl; its checksum was"]);
    let old = Runner::new().with_program("gh", "#!/bin/sh\nexit 1\n");
    check(&old.install(), 0, &["::warning", "this runner has no `gh` that can"]);
}

#[test]
fn without_a_binary_for_the_platform_cargo_builds_the_actions_own_source() {
    let cargo = format!(
        "#!/bin/sh\necho \"cargo $* in $PWD\"\nwhile [ $# -gt 1 ]; do [ \"$1\" = --root ] && root=$2; shift; done\n\
         mkdir -p \"$root/bin\"\nprintf '#!/bin/sh\\necho promptops {VERSION}\\n' >\"$root/bin/promptops\"\n\
         chmod +x \"$root/bin/promptops\"\n"
    );
    let runner = Runner::new().with("RUNNER_ARCH", "RISCV64").with_program("cargo", &cargo);
    let root = env!("CARGO_MANIFEST_DIR");
    let installed = runner.install();
    check(&installed, 0, &["no binary for Linux on RISCV64: cargo builds it", &format!(" --path {root} in ")]);
    // A pull request's `.cargo/config.toml` must not be read.
    assert!(!installed.said.contains(&format!("in {}", runner.file("work").display())), "{installed:?}");
    let unreleased = Runner::new().with("INPUT_VERSION", "7.7.7").with_program("cargo", &cargo);
    check(
        &unreleased.install(),
        3,
        &["/v7.7.7/promptops-7.7.7-", "--git https://github.com/promptops/promptops --tag v7.7.7 promptops in "],
    );
}

#[test]
fn without_cargo_the_platform_is_named_and_what_to_do() {
    let runner = Runner::new().bare().with("RUNNER_ARCH", "RISCV64");
    check(&runner.install(), 2, &["no binary for Linux on RISCV64", "or install Rust before this step"]);
}

#[test]
fn a_program_of_another_version_or_none_at_all_is_refused() {
    let other = Runner::new().bare();
    other.publish(VERSION, TARGET, &stand_in("6.6.6"));
    check(&other.install(), 3, &["and got `promptops 6.6.6`; nothing was installed"]);
    let broken = Runner::new().bare();
    broken.publish(VERSION, TARGET, "#!/bin/sh\nexit 1\n");
    check(&broken.install(), 3, &["does not run on Linux on X64"]);
}

#[test]
fn hostile_versions_run_nothing_and_write_no_second_command() {
    for version in
        ["$(touch pwned)", "`touch pwned`", "1.0.0\n::add-path::/evil", "../../1.0.0", "1.0.0; touch pwned", "latest"]
    {
        let runner = Runner::new().bare().with("INPUT_VERSION", version);
        let installed = runner.install();
        check(&installed, 2, &["::error title=promptops::the input `version` is"]);
        assert_eq!(installed.said.lines().count(), 1, "{installed:?}");
        assert_eq!(fs::read_dir(runner.file("work")).unwrap().count(), 0, "{version}");
    }
    check(&Runner::new().bare().with("INPUT_CACHE", "yes").install(), 2, &["the input `cache` is `yes`"]);
}

/// Serves the mirror over HTTP; the first answers have this status.
async fn serve(runner: &Runner, trouble: usize, status: StatusCode) -> String {
    let (folder, asked) = (runner.file("mirror"), Arc::new(AtomicUsize::new(0)));
    let answer = move |uri: Uri| {
        let file = folder.join(uri.path().trim_start_matches('/'));
        let troubled = asked.fetch_add(1, SeqCst) < trouble;
        async move {
            if troubled {
                return (status, Vec::new());
            }
            fs::read(file).map_or((StatusCode::NOT_FOUND, Vec::new()), |bytes| (StatusCode::OK, bytes))
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_fails_for_a_moment_is_asked_again_and_one_that_refuses_is_named() {
    let runner = Runner::new().bare();
    let url = serve(&runner, 1, StatusCode::SERVICE_UNAVAILABLE).await;
    check(&runner.with("PROMPTOPS_DOWNLOAD_URL", &url).install(), 0, &[]);

    let runner = Runner::new().bare();
    let url = serve(&runner, 9, StatusCode::FORBIDDEN).await;
    let refused = runner.with("PROMPTOPS_DOWNLOAD_URL", &url).install();
    check(
        &refused,
        3,
        &[&format!("cannot download {url}v{VERSION}/"), "403", "set PROMPTOPS_DOWNLOAD_URL to a mirror"],
    );

    let runner = Runner::new().bare().with("INPUT_VERSION", "7.7.7");
    let url = serve(&runner, 0, StatusCode::OK).await;
    check(&runner.with("PROMPTOPS_DOWNLOAD_URL", &url).install(), 2, &[&format!("there is no {url}v7.7.7/")]);
}
