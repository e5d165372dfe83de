//! Which server a model goes to, with which key, whatever combination of variables and settings file says so.

use std::io::{Error, ErrorKind};

use secrecy::ExposeSecret;

use super::*;

/// Reads the providers with these variables and files, as the command line does or as the service does.
fn read(place: Place, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<ProviderConfig, String> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let file = |path: &Path| {
        let found = files.iter().find(|(known, _)| Path::new(known) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| Error::from(ErrorKind::NotFound))
    };
    Environment::new(variable, file).provider_config(place, false).map_err(|error| error.to_string())
}

fn serve(variables: &[(&str, &str)], file: &str) -> Result<ProviderConfig, String> {
    read(Place::WorkingFolder, variables, &[("promptops.toml", file), ("key.txt", "from a file\n")])
}

/// Address, key and origin of a provider.
fn server(config: &ProviderConfig, name: &str) -> (Option<String>, Option<String>, Origin) {
    let server = &config.providers[name];
    (server.base_url.clone(), server.key.as_ref().map(|key| key.expose_secret().to_owned()), server.origin)
}

fn check(variables: &[(&str, &str)], file: &str, name: &str, url: Option<&str>, key: Option<&str>, origin: Origin) {
    let config = serve(variables, file).unwrap();
    assert_eq!(server(&config, name), (url.map(str::to_owned), key.map(str::to_owned), origin), "{file}");
}

#[test]
fn the_vendors_own_variables_are_enough() {
    for (variables, name) in [
        (vec![("OPENAI_API_KEY", "k")], "openai"),
        (vec![("OPENAI_BASE_URL", "http://gpu/v1")], "openai"),
        (vec![("ANTHROPIC_API_KEY", "k")], "anthropic"),
        (vec![("ANTHROPIC_BASE_URL", "http://gpu")], "anthropic"),
        (vec![("GEMINI_API_KEY", "k")], "gemini"),
        (vec![("GOOGLE_API_KEY", "k")], "gemini"),
        (vec![("GEMINI_BASE_URL", "http://gpu")], "gemini"),
        (vec![("AZURE_OPENAI_API_KEY", "k")], "azure"),
        (vec![("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com")], "azure"),
        (vec![("AWS_BEARER_TOKEN_BEDROCK", "k")], "bedrock"),
        (vec![("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "k")], "bedrock"),
        (vec![("OLLAMA_HOST", "gpu")], "ollama"),
        (vec![("OPENAI_API_KEY_FILE", "key.txt")], "openai"),
    ] {
        let config = serve(&variables, "").unwrap();
        assert_eq!(config.providers.keys().collect::<Vec<_>>(), [name], "{variables:?}");
        assert!(!config.is_empty());
    }
    for useless in [
        vec![],
        vec![("AWS_ACCESS_KEY_ID", "id")],
        vec![("AWS_REGION", "eu-west-1")],
        vec![("OPENAI_API_VERSION", "1")],
    ] {
        assert!(serve(&useless, "").unwrap().is_empty(), "{useless:?}");
    }
}

#[test]
fn all_that_amazon_and_azure_need_is_read() {
    let aws = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY_FILE", "key.txt"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ];
    let config = serve(&aws, "").unwrap();
    let bedrock = &config.providers["bedrock"];
    assert_eq!(
        (bedrock.region.as_deref(), bedrock.aws.as_ref().map(|keys| keys.id.as_str())),
        (Some("eu-west-1"), Some("id"))
    );
    assert_eq!(config.keys().map(ExposeSecret::expose_secret).collect::<Vec<_>>(), ["from a file", "token"]);
    let azure = [
        ("AZURE_OPENAI_ENDPOINT", "https://x.test"),
        ("AZURE_OPENAI_API_KEY", "k"),
        ("OPENAI_API_VERSION", "2024-10-21"),
    ];
    assert_eq!(serve(&azure, "").unwrap().providers["azure"].api_version.as_deref(), Some("2024-10-21"));
}

#[test]
fn ollama_may_be_named_as_ollama_itself_allows() {
    let check = |host: &str, expected: &str| {
        check(&[("OLLAMA_HOST", host)], "", "ollama", Some(expected), None, Origin::Environment)
    };
    check("gpu", "http://gpu:11434/");
    check("127.0.0.1:9000", "http://127.0.0.1:9000/");
    check("https://gpu.example", "https://gpu.example/");
}

#[test]
fn key_and_address_come_from_one_place() {
    let variables =
        [("OPENAI_API_KEY", "from a variable"), ("OPENAI_BASE_URL", "https://variable.test/v1"), ("TEAM", "team's")];
    let url = Some("https://file.test/v1");
    check(&variables, "[providers.openai]\nbase_url = \"https://file.test/v1\"", "openai", url, None, Origin::File);
    check(&variables, "[providers.openai]\napi_key_env = \"TEAM\"", "openai", None, Some("team's"), Origin::File);
    check(
        &variables,
        "[providers.openai]\napi_key_file = \"key.txt\"",
        "openai",
        None,
        Some("from a file"),
        Origin::File,
    );
    check(
        &variables,
        "[providers.openai]\nmax_concurrency = 2",
        "openai",
        Some("https://variable.test/v1"),
        Some("from a variable"),
        Origin::Environment,
    );
    check(
        &[],
        "[providers.mistral]\nkind = \"openai\"\nbase_url = \"https://api.mistral.ai/v1\"\napi_key = \"m\"",
        "mistral",
        Some("https://api.mistral.ai/v1"),
        Some("m"),
        Origin::File,
    );
}

#[test]
fn limits_alone_set_no_provider_up() {
    let config = serve(&[], "[providers.openai]\nrequests_per_minute = 60").unwrap();
    assert!(config.is_empty());
    assert_eq!(config.limits["openai"].requests_per_minute, Some(60));
}

#[test]
fn amazons_account_keys_sign_for_a_section_and_its_own_key_stays_at_home() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_BEARER_TOKEN_BEDROCK", "bearer"),
        ("AWS_REGION", "us-east-1"),
    ];
    let config =
        serve(&variables, "[providers.bedrock]\nbase_url = \"https://proxy.test\"\nregion = \"eu-west-1\"").unwrap();
    let bedrock = &config.providers["bedrock"];
    assert!(bedrock.key.is_none() && bedrock.aws.is_some());
    assert_eq!(bedrock.region.as_deref(), Some("eu-west-1"));
    let config = serve(&variables, "[providers.bedrock]\nregion = \"eu-west-1\"").unwrap();
    assert_eq!(server(&config, "bedrock").1.as_deref(), Some("bearer"));
    assert_eq!(config.providers["bedrock"].region.as_deref(), Some("eu-west-1"));
}

#[test]
fn a_desk_reads_no_settings_from_the_folder_it_works_in() {
    const FILE: &str = "[providers.openai]\nbase_url = \"https://evil.test/v1\"\n";
    let desk = |variables: &[(&str, &str)], at: &str| read(Place::UsersFolder, variables, &[(at, FILE)]).unwrap();
    assert!(desk(&[("HOME", "/home/mara")], "promptops.toml").is_empty());
    assert!(!desk(&[("HOME", "/home/mara")], "/home/mara/.config/promptops/promptops.toml").is_empty());
    assert!(!desk(&[("XDG_CONFIG_HOME", "/etc/xdg")], "/etc/xdg/promptops/promptops.toml").is_empty());
    assert!(!desk(&[("PROMPTOPS_CONFIG", "promptops.toml")], "promptops.toml").is_empty());
    let key = "[providers.openai]\napi_key_file = \"key.txt\"\n";
    let beside = [("/etc/p/promptops.toml", key), ("/etc/p/key.txt", "beside the file")];
    let config = read(Place::UsersFolder, &[("PROMPTOPS_CONFIG", "/etc/p/promptops.toml")], &beside).unwrap();
    assert_eq!(server(&config, "openai").1.as_deref(), Some("beside the file"));
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let check = |variables: &[(&str, &str)], file: &str, expected: &str| {
        assert_eq!(serve(variables, file).unwrap_err(), expected)
    };
    check(
        &[],
        "[providers.openai]\nmodel = 1",
        "promptops.toml:2:1: unknown field `model`, expected one of `kind`, `base_url`, `api_key`, `api_key_file`, `api_key_env`, `region`, `api_version`, `headers`, `max_concurrency`, `requests_per_minute`, `tokens_per_minute`",
    );
    check(
        &[],
        "[providers.openai]\napi_key_env = \"TEAM\"",
        "the key of [providers.openai] in promptops.toml is not to be had: `TEAM` is not set: set it",
    );
    check(
        &[],
        "[providers.openai]\napi_key = \" \"",
        "the key of [providers.openai] in promptops.toml is not to be had: it is empty: set it, or leave it out",
    );
    let named = read(Place::WorkingFolder, &[("PROMPTOPS_CONFIG", "gone.toml")], &[]).unwrap_err();
    assert!(named.starts_with("PROMPTOPS_CONFIG names `gone.toml`, and there is no such file: "), "{named}");
    check(
        &[("OPENAI_BASE_URL", "gpu")],
        "",
        "OPENAI_BASE_URL is not valid: give a URL that begins with https:// or http://",
    );
}
