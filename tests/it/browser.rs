//! A real browser, driven over WebDriver: Debian's chromium with its chromedriver.
//!
//! The protocol is W3C WebDriver (https://www.w3.org/TR/webdriver2/): JSON over HTTP on loopback, small enough to be
//! spoken here. The size of a screen is set by the DevTools command `Emulation.setDeviceMetricsOverride`, for a window
//! cannot be as narrow as a phone. Not here: what a test looks for.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What to do where there is no browser.
const MISSING: &str = "This test drives a real browser and finds none. Install Debian's: \
    apt-get install --yes --no-install-recommends chromium chromium-driver fonts-noto-cjk   Then run it again.";

/// Looks for something on a page, at so many glances.
const GLANCES: usize = 200;

/// Between two glances.
const GLANCE: Duration = Duration::from_millis(50);

/// One browser with one page.
pub(crate) struct Browser {
    driver: Child,
    client: reqwest::Client,
    session: String,
}

impl Browser {
    /// Starts a browser.
    pub(crate) async fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{MISSING} ({error})"));
        let said = BufReader::new(driver.stdout.take().unwrap());
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            line.contains("started successfully").then(|| line.rsplit(' ').next().unwrap().to_owned())
        });
        let port = port.unwrap_or_else(|| panic!("{MISSING}"));
        let base = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let mut browser = Self { driver, client, session: base.clone() };
        // Without a sandbox: a test may run as the superuser, and its pages are all ours.
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let made = browser.call("/session", &wanted).await.unwrap_or_else(|why| panic!("{MISSING} ({why})"));
        browser.session = format!("{base}/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// Makes the screen so wide and high, in pixels.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.call("/goog/cdp/execute", &command).await.unwrap();
    }

    /// Goes to an address and waits until it is there.
    pub(crate) async fn go(&self, address: &str) {
        self.call("/url", &json!({"url": address})).await.unwrap();
    }

    /// Runs a script on the page; what it returns.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({"script": script, "args": []})).await.unwrap()
    }

    /// All that stands on the page.
    pub(crate) async fn text(&self) -> String {
        self.script("return document.body.innerText").await.as_str().unwrap_or("").to_owned()
    }

    /// Waits until the page has these words.
    pub(crate) async fn sees(&self, words: &str) {
        for _ in 0..GLANCES {
            if self.text().await.contains(words) {
                return;
            }
            tokio::time::sleep(GLANCE).await;
        }
        panic!("the page never says {words:?}:\n{}", self.text().await);
    }

    /// Presses what a CSS selector finds first among what is to be seen.
    pub(crate) async fn press(&self, selector: &str) {
        self.do_to(selector, "click", &json!({})).await;
    }

    /// Types into a field.
    pub(crate) async fn write(&self, selector: &str, text: &str) {
        self.do_to(selector, "value", &json!({"text": text})).await;
    }

    /// Does it to what stands there now: a page that follows the till may be drawn anew between a look and a touch.
    async fn do_to(&self, selector: &str, what: &str, how: &Value) {
        for _ in 0..GLANCES {
            let id = self.find(selector).await;
            match self.call(&format!("/element/{id}/{what}"), how).await {
                Err(words) if words.contains("stale element") => {}
                answer => {
                    answer.unwrap();
                    return;
                }
            }
        }
        panic!("{selector:?} is drawn anew all the time");
    }

    async fn find(&self, selector: &str) -> String {
        for _ in 0..GLANCES {
            let wanted = json!({"using": "css selector", "value": selector});
            let found = self.call("/elements", &wanted).await.unwrap();
            for element in found.as_array().unwrap() {
                let id = element.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
                if self.get(&format!("/element/{id}/displayed")).await == Ok(Value::Bool(true)) {
                    return id;
                }
            }
            tokio::time::sleep(GLANCE).await;
        }
        panic!("nothing to see for {selector:?}:\n{}", self.text().await);
    }

    /// That nothing sticks out of the page at the sides.
    pub(crate) async fn fits(&self, what: &str) {
        let wide = self
            .script(
                "const wide = document.documentElement.clientWidth;
                 const out = (node) => node.getBoundingClientRect().right > wide + 1
                     && !node.closest('pre, .states, [hidden], details:not([open]) > :not(summary)');
                 return [...document.body.querySelectorAll('*')].filter(out)
                     .map((node) => node.outerHTML.slice(0, 120))
                     .concat(document.documentElement.scrollWidth > wide ? ['the page scrolls sideways'] : []);",
            )
            .await;
        assert_eq!(wide, json!([]), "{what}");
    }

    /// Errors on the browser's console since the last time.
    pub(crate) async fn errors(&self) -> Vec<String> {
        let log = self.call("/se/log", &json!({"type": "browser"})).await.unwrap();
        let grave = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        grave.map(|entry| entry["message"].to_string()).collect()
    }

    /// Keeps a picture of the whole page in the folder that `TILL_PICTURES` names, where somebody wants to look.
    pub(crate) async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("TILL_PICTURES") else { return };
        let command = json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true}});
        let data = self.call("/goog/cdp/execute", &command).await.unwrap();
        let png = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            data["data"].as_str().unwrap(),
        );
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), png.unwrap()).unwrap();
    }

    async fn call(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.client.post(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json").body(body.to_string());
        answer(request).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        answer(self.client.get(format!("{}{path}", self.session))).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let is_good = response.status().is_success();
    let text = response.text().await.map_err(|error| error.to_string())?;
    let mut json: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if is_good { Ok(json["value"].take()) } else { Err(json["value"]["message"].to_string()) }
}

impl Browser {
    /// Ends the session, and the browser with it: a driver that is stopped leaves its browser behind. Plainly and
    /// without waiting for anything else, for a test that has failed ends here too.
    fn end_session(&self) {
        let Some((host, path)) = self.session.trim_start_matches("http://").split_once('/') else { return };
        let Ok(mut line) = TcpStream::connect(host) else { return };
        let _set = line.set_read_timeout(Some(Duration::from_secs(10)));
        let asked = format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        if line.write_all(asked.as_bytes()).is_ok() {
            let _answered = line.read(&mut [0; 256]);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.end_session();
        let pid = self.driver.id().to_string();
        let _ended = Command::new("kill").args(["-TERM", &pid]).status();
        let _waited = self.driver.wait();
    }
}
