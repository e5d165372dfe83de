//! What was seen of settings is kept until it is forgotten, on both databases.

use promptops::domain::ids::Digest;

use crate::support::database::on_each_database;

#[tokio::test]
async fn settings_are_remembered_until_they_are_forgotten() {
    on_each_database(|store| async move {
        let (first, second) = (Digest::of_parts([b"a".as_slice()]), Digest::of_parts([b"b".as_slice()]));
        assert_eq!(store.settings_seen("acme/.github").await.unwrap(), None);
        store.remember_settings("acme/.github", first, 1).await.unwrap();
        store.remember_settings("acme/.github", first, 2).await.unwrap();
        assert_eq!(store.settings_seen("acme/.github").await.unwrap(), Some((first, 1)));
        store.remember_settings("acme/.github", second, 3).await.unwrap();
        assert_eq!(store.settings_seen("acme/.github").await.unwrap(), Some((second, 3)));
        assert_eq!(store.settings_seen("other/.github").await.unwrap(), None);
        store.forget_settings("acme/.github").await.unwrap();
        store.forget_settings("acme/.github").await.unwrap();
        assert_eq!(store.settings_seen("acme/.github").await.unwrap(), None);
    })
    .await;
}
