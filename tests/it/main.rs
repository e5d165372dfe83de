//! One binary for all tests that go through real HTTP, files or processes.

mod github_client;
