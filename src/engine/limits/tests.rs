use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;

const PATIENCE: Duration = Duration::from_secs(3_600);

fn model() -> ModelId {
    ModelId::parse("openai/gpt-4o-mini").unwrap()
}

fn limiter(width: usize, limits: ProviderLimits) -> Arc<Limiter> {
    Arc::new(Limiter::new(width, BTreeMap::from([("openai".to_owned(), limits)])))
}

/// A provider that works on `capacity` calls at a time, each `work` long, and lets others wait or refuses them.
struct Provider {
    capacity: tokio::sync::Semaphore,
    work: Duration,
    refuses: bool,
    is_down: std::sync::atomic::AtomicBool,
    open: AtomicUsize,
    most: AtomicUsize,
    refused: AtomicUsize,
}

impl Provider {
    fn new(capacity: usize, refuses: bool) -> Arc<Self> {
        Arc::new(Self {
            capacity: tokio::sync::Semaphore::new(capacity),
            work: Duration::from_millis(500),
            refuses,
            is_down: false.into(),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    async fn ask(&self) -> bool {
        self.most.fetch_max(self.open.fetch_add(1, SeqCst) + 1, SeqCst);
        let place = if self.refuses { self.capacity.try_acquire().ok() } else { self.capacity.acquire().await.ok() };
        let answers = place.is_some() && !self.is_down.load(SeqCst);
        tokio::time::sleep(if answers { self.work } else { Duration::from_millis(20) }).await;
        self.open.fetch_sub(1, SeqCst);
        self.refused.fetch_add(usize::from(!answers), SeqCst);
        answers
    }
}

/// Asks until there is an answer, as a run does.
async fn ask(limiter: &Limiter, provider: &Provider, tokens: u64) {
    loop {
        let pass = limiter.door(&model()).enter(tokens, PATIENCE).await.unwrap();
        let started = Instant::now();
        if provider.ask().await {
            pass.answered(&model(), started.elapsed(), Some(tokens), 10, None);
            return;
        }
        pass.overloaded(None);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn ask_many(limiter: &Arc<Limiter>, provider: &Arc<Provider>, calls: usize) -> Duration {
    let started = Instant::now();
    let all = (0..calls).map(|_| ask(limiter, provider, 10));
    futures::future::join_all(all).await;
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_capacity_of_a_provider_that_refuses_the_rest_is_found() {
    let (limiter, provider) = (limiter(64, ProviderLimits::default()), Provider::new(8, true));
    let took = ask_many(&limiter, &provider, 400).await;
    // 400 calls of half a second, 8 at a time, take 25 s at best.
    assert!(took < Duration::from_secs(40), "{took:?}");
    let refused = provider.refused.load(SeqCst);
    assert!(refused < 80, "{refused} of 400 were refused");
}

#[tokio::test(start_paused = true)]
async fn the_capacity_of_a_provider_that_lets_the_rest_wait_is_found() {
    let (limiter, provider) = (limiter(200, ProviderLimits::default()), Provider::new(10, false));
    ask_many(&limiter, &provider, 300).await;
    provider.most.store(0, SeqCst);
    let took = ask_many(&limiter, &provider, 600).await;
    assert!(took < Duration::from_secs(33), "{took:?}");
    let most = provider.most.load(SeqCst);
    assert!((10..=40).contains(&most), "{most} at once for a capacity of 10");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_bears_everything_is_used_to_the_full() {
    let (limiter, provider) = (limiter(64, ProviderLimits::default()), Provider::new(1_000, false));
    let took = ask_many(&limiter, &provider, 2_000).await;
    // 2,000 calls of half a second, 64 at a time: 15.6 s.
    assert!(took < Duration::from_secs(18), "{took:?}");
    assert_eq!(provider.most.load(SeqCst), 64);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_gently_and_its_end_is_noticed() {
    let (limiter, provider) = (limiter(32, ProviderLimits::default()), Provider::new(1_000, true));
    ask_many(&limiter, &provider, 200).await;
    provider.is_down.store(true, SeqCst);
    let outage = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        provider.is_down.store(false, SeqCst);
        (Instant::now(), provider.refused.load(SeqCst))
    };
    let (_, (ended, refused)) = tokio::join!(ask_many(&limiter, &provider, 200), outage);
    // At 32 calls at once, every half second, it would have been thousands.
    assert!(refused < 3_100, "{refused}");
    assert!(ended.elapsed() < Duration::from_secs(12), "{:?}", ended.elapsed());
}

#[tokio::test(start_paused = true)]
async fn neither_requests_nor_tokens_of_any_minute_exceed_their_limit() {
    for (requests, tokens, bound) in [(Some(30), None, 30), (None, Some(250), 25), (Some(30), Some(250), 25)] {
        let limits = ProviderLimits { max_concurrency: None, requests_per_minute: requests, tokens_per_minute: tokens };
        let (limiter, times) = (limiter(64, limits), Mutex::new(Vec::new()));
        let call = async || {
            let pass = limiter.door(&model()).enter(10, PATIENCE).await.unwrap();
            times.lock().unwrap().push(Instant::now());
            pass.answered(&model(), Duration::from_millis(1), Some(10), 5, None);
        };
        futures::future::join_all((0..120).map(|_| call())).await;
        let times = times.into_inner().unwrap();
        let within = |from: &Instant| {
            times.iter().filter(|at| *at >= from && at.duration_since(*from) < Duration::from_secs(60)).count()
        };
        assert_eq!(times.iter().map(within).max(), Some(bound));
        let took = times[119].duration_since(times[0]);
        assert_eq!(took.as_secs() / 60, (120 / bound as u64) - 1 + u64::from(120 % bound as u64 != 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_counted_takes_the_place_of_the_estimate() {
    let limits = ProviderLimits { tokens_per_minute: Some(1_000), ..ProviderLimits::default() };
    let (limiter, started) = (limiter(64, limits), Instant::now());
    for _ in 0..50 {
        let pass = limiter.door(&model()).enter(600, PATIENCE).await.unwrap();
        pass.answered(&model(), Duration::ZERO, Some(7), 2, None);
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pause_the_provider_asks_for_holds_all_its_calls_and_no_others() {
    let (limiter, started) = (limiter(64, ProviderLimits::default()), Instant::now());
    let other = ModelId::parse("anthropic/claude-haiku-4-5").unwrap();
    limiter.door(&model()).enter(1, PATIENCE).await.unwrap().overloaded(Some(Duration::from_secs(7)));
    drop(limiter.door(&other).enter(1, PATIENCE).await.unwrap());
    assert_eq!(started.elapsed(), Duration::ZERO);
    let impatient = limiter.door(&model()).enter(1, Duration::from_secs(5)).await;
    assert_eq!(impatient.unwrap_err(), TooLong(Duration::from_secs(7)));
    drop(limiter.door(&model()).enter(1, PATIENCE).await.unwrap());
    assert_eq!(started.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_says_is_left_is_not_exceeded() {
    let (limiter, started) = (limiter(64, ProviderLimits::default()), Instant::now());
    let left = |requests, tokens| {
        Some(RateHint {
            remaining_requests: requests,
            remaining_tokens: tokens,
            reset_after: Some(Duration::from_secs(20)),
        })
    };
    let door = limiter.door(&model());
    let pass = door.enter(1, PATIENCE).await.unwrap();
    pass.answered(&model(), Duration::ZERO, None, 1, left(Some(2), None));
    drop((door.enter(1, PATIENCE).await.unwrap(), door.enter(1, PATIENCE).await.unwrap()));
    assert_eq!(started.elapsed().as_secs(), 0);
    let pass = door.enter(1, PATIENCE).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 20);
    pass.answered(&model(), Duration::ZERO, None, 1, left(None, Some(100)));
    drop(door.enter(60, PATIENCE).await.unwrap());
    drop(door.enter(60, PATIENCE).await.unwrap());
    assert_eq!(started.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served_whatever_a_call_weighs() {
    let limits = ProviderLimits { max_concurrency: Some(1), tokens_per_minute: Some(100), ..ProviderLimits::default() };
    let (limiter, order) = (limiter(1, limits), Mutex::new(Vec::new()));
    let call = async |number: usize, tokens| {
        let pass = limiter.door(&model()).enter(tokens, PATIENCE).await.unwrap();
        order.lock().unwrap().push(number);
        tokio::time::sleep(Duration::from_secs(1)).await;
        pass.answered(&model(), Duration::from_secs(1), None, 5, None);
    };
    // The third is heavy: lighter ones behind it must not pass it for ever.
    let weights = [40, 40, 90, 10, 10, 10];
    futures::future::join_all(weights.into_iter().enumerate().map(|(number, tokens)| call(number, tokens))).await;
    assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_place_back() {
    let limits = ProviderLimits { max_concurrency: Some(1), ..ProviderLimits::default() };
    let limiter = limiter(64, limits);
    let door = limiter.door(&model());
    let held = door.enter(1, PATIENCE).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(1), door.enter(1, PATIENCE)).await;
    assert!(waiting.is_err(), "one at a time");
    drop(held);
    drop(tokio::time::timeout(Duration::from_secs(1), door.enter(1, PATIENCE)).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_all_reason_is_cut() {
    let (limiter, started) = (limiter(64, ProviderLimits::default()), Instant::now());
    limiter.door(&model()).enter(1, PATIENCE).await.unwrap().overloaded(Some(Duration::MAX));
    drop(limiter.door(&model()).enter(1, PATIENCE).await.unwrap());
    assert_eq!(started.elapsed().as_secs(), 3_600);
}
