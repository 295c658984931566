"""The site in a real browser: sorted, filtered and opened by mouse and by keyboard, in both themes, on a phone."""

import json
import shutil
import tempfile
from collections import Counter

import pytest
from sites import done, hostile, made, spec, sweep

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install peftbench[test]")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="there is no Chromium with its driver: apt-get install chromium chromium-driver",
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
DESKTOP, PHONE = 1200, 360


@pytest.fixture(scope="module")
def browser():
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={DESKTOP},900"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        found = webdriver.Chrome(options=options, service=Service(DRIVER))
        yield found
        found.quit()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    mixed = [done(spec("bitfit", "rte-mini", seed), 0.45, trainable=0) for seed in (0, 1, 2)]
    return made(tmp_path_factory.mktemp("site"), [*sweep(), *mixed])[0]


@pytest.fixture(scope="module")
def bad_site(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bad"), [*sweep(), *hostile()])[0]


@pytest.fixture
def see(browser, site):
    """see(page, ...) opens a page of the site with the browser as it comes; what was logged before is forgotten."""

    def show(page="index.html", width=DESKTOP, scheme="light", folder=site):
        emulate(browser, width, scheme)
        browser.get((folder / page).as_uri())
        browser.execute_script("localStorage.clear(); delete document.documentElement.dataset.theme")
        return browser

    for kind in ("browser", "performance"):
        browser.get_log(kind)
    return show


def emulate(browser, width, scheme):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def one(browser, css):
    return browser.find_element("css selector", css)


def texts(browser, css):
    return [found.text for found in browser.find_elements("css selector", css) if found.is_displayed()]


def methods(browser):
    return texts(browser, ".lead tbody tr th a")


def head(browser, title):
    return browser.find_element("xpath", f"//table[contains(@class,'lead')]//th[button[normalize-space()='{title}']]")


def press(browser, key, times=1):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*[key] * times).perform()


def focused(browser):
    return browser.switch_to.active_element


KEYS = {"enter": "\ue007", "tab": "\ue004", "right": "\ue014", "left": "\ue012", "home": "\ue011", "space": " "}


def test_pages_load_without_an_error_and_without_the_network(browser, see, site):
    opened = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    kinds = {page.partition("/")[0]: page for page in opened}
    # What the browser asked of itself when it started.
    browser.get_log("performance")
    for page in {*kinds.values(), "index.html", "methods/index.html", "tasks/index.html", "runs/index.html"}:
        see(page)
        assert one(browser, "h1").is_displayed()
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
    # Every page brings its sheet and its script, so that an empty log would show.
    assert sum(url.endswith("site.js") for url in urls) >= 4
    # chrome: is the browser's own start page.
    assert Counter(url.partition(":")[0] for url in urls).keys() <= {"file", "data", "chrome"}


def test_a_click_sorts_and_a_second_one_turns_the_order(browser, see):
    see()
    assert methods(browser) == ["lora", "dora", "bitfit"]
    column = head(browser, "rte")
    column.find_element("tag name", "button").click()
    assert column.get_attribute("aria-sort") == "descending"
    assert methods(browser) == ["dora", "lora", "bitfit"]
    column.find_element("tag name", "button").click()
    assert column.get_attribute("aria-sort") == "ascending"
    assert methods(browser) == ["bitfit", "lora", "dora"]
    head(browser, "Trainable").find_element("tag name", "button").click()
    assert methods(browser) == ["bitfit", "lora", "dora"]
    assert len(browser.find_elements("css selector", ".lead th[aria-sort]")) == 1


def test_rows_without_a_value_stand_last_both_ways(browser, see):
    see()
    for order in ("descending", "ascending"):
        head(browser, "mrpc").find_element("tag name", "button").click()
        assert head(browser, "mrpc").get_attribute("aria-sort") == order
        # the only row with a score there
        assert methods(browser)[0] == "lora"


def test_the_keyboard_alone_reaches_a_heading_and_sorts(browser, see):
    see()
    one(browser, "input[type=search]").click()
    for _ in range(12):
        press(browser, KEYS["tab"])
        if focused(browser).tag_name == "button" and focused(browser).text.strip() == "Method":
            break
    else:
        pytest.fail("Tab does not reach the table's headings")
    assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    press(browser, KEYS["enter"])
    assert methods(browser) == ["bitfit", "dora", "lora"]
    press(browser, KEYS["space"])
    assert methods(browser) == ["lora", "dora", "bitfit"]
    assert head(browser, "Method").get_attribute("aria-sort") == "descending"


def test_the_filter_hides_rows_says_how_many_and_thins_the_plot(browser, see):
    see()
    field = one(browser, "input[type=search]")
    field.send_keys("LOR low")
    assert methods(browser) == ["lora"]
    assert one(browser, ".count").text == "1 of 3 rows"
    assert [link.get_attribute("aria-label").partition(";")[0] for link in points(browser)] == ["lora"]
    field.clear()
    field.send_keys("no such")
    assert methods(browser) == [] and points(browser) == []
    field.clear()
    field.send_keys(" ")
    assert len(methods(browser)) == 3


def test_a_family_is_chosen(browser, see):
    see()
    from selenium.webdriver.support.select import Select

    Select(one(browser, "select[data-family]")).select_by_visible_text("bias")
    assert methods(browser) == ["bitfit"] and one(browser, ".count").text == "1 of 3 rows"


def test_the_spread_changes_from_sd_to_interval(browser, see):
    see()
    assert "±2.0" in one(browser, ".lead tbody").text and "[47.0, 57.0]" not in one(browser, ".lead tbody").text
    one(browser, "input[value=interval] + span").click()
    assert "±2.0" not in one(browser, ".lead tbody").text and "[47.0, 57.0]" in one(browser, ".lead tbody").text


def test_a_method_is_opened_and_its_run_and_its_record(browser, see):
    see()
    browser.find_element("link text", "lora").click()
    assert one(browser, "h1").text == "lora" and "/methods/lora.html" in browser.current_url
    one(browser, "a.run").click()
    assert "/runs/" in browser.current_url and "done" in one(browser, "h1").text
    one(browser, "dd a[href*='records/']").click()
    assert '"key"' in browser.page_source


def test_a_score_leads_to_the_row_of_its_runs(browser, see):
    see()
    one(browser, ".lead td a[href$='-rte-mini']").click()
    place = browser.current_url.partition("#")[2]
    row = browser.find_element("id", place)
    assert row.is_displayed() and len(row.find_elements("css selector", "a.run")) == 3


def points(browser):
    return browser.find_elements("css selector", ".pareto a.point")


def choose(browser, axis, value):
    from selenium.webdriver.support.select import Select

    Select(one(browser, f"select[data-axis={axis}]")).select_by_value(value)


def test_the_plot_changes_its_axes(browser, see):
    see()
    choose(browser, "score", "rte-mini")
    assert len(points(browser)) == 3
    choose(browser, "cost", "train_tokens_per_second")
    assert any("Training speed" in text for text in texts(browser, ".pareto svg text"))
    at = {link.get_attribute("aria-label").partition(";")[0]: link.rect["x"] for link in points(browser)}
    assert at["dora"] < at["lora"]
    choose(browser, "cost", "trainable")
    at = {
        link.get_attribute("aria-label").partition(";")[0]: link.find_element("css selector", ".dot").rect["x"]
        for link in points(browser)
    }
    assert at["bitfit"] < at["lora"] < at["dora"], "nothing to train stands left of all else"


def test_a_point_shows_its_method_under_the_mouse_and_the_keyboard(browser, see):
    from selenium.webdriver.common.action_chains import ActionChains

    see()
    choose(browser, "score", "rte-mini")
    lora = next(link for link in points(browser) if link.get_attribute("aria-label").startswith("lora;"))
    ActionChains(browser).move_to_element(lora.find_element("css selector", ".ring")).perform()
    assert one(browser, ".tip").text.startswith("lora") and "52.0" in one(browser, ".tip").text
    assert "47.0 to 57.0, 3 seeds" in one(browser, ".tip").text
    ActionChains(browser).move_to_element(one(browser, "h1")).perform()
    assert texts(browser, ".tip") == []
    one(browser, "select[data-axis=cost]").click()
    press(browser, "\ue00c")
    browser.execute_script("document.querySelector('select[data-axis=cost]').focus()")
    press(browser, KEYS["tab"])
    names = []
    for key in ("home", "right", "right"):
        press(browser, KEYS[key])
        names.append(one(browser, ".tip b").text)
    assert names == ["bitfit", "lora", "dora"]
    press(browser, KEYS["left"])
    press(browser, KEYS["enter"])
    assert "/methods/lora.html" in browser.current_url


@pytest.mark.parametrize("page", ["index.html", "methods/lora.html", "tasks/rte-mini.html", "runs/index.html", "run"])
def test_a_phone_needs_no_sideways_scrolling(browser, see, site, page):
    if page == "run":
        page = f"runs/{next(path.stem for path in sorted((site / 'records').iterdir()))}.html"
    see(page, width=PHONE)
    assert browser.execute_script("return window.innerWidth") == PHONE
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE
    wide = "return [...document.querySelectorAll('main p, main h1, main h2, main dl, .tools, figure')]"
    assert browser.execute_script(f"{wide}.filter((e) => e.getBoundingClientRect().right > {PHONE}).length") == 0


def brightness(browser):
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(",")))


def test_dark_and_light_follow_the_system_and_the_button(browser, see):
    see(scheme="light")
    assert brightness(browser) > 700
    see(scheme="dark")
    assert brightness(browser) < 100
    button = one(browser, "button.theme")
    assert button.text == "Light"
    button.click()
    assert brightness(browser) > 700 and button.text == "Dark"
    browser.find_element("link text", "Methods").click()
    assert brightness(browser) > 700, "the choice goes with the reader"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, see, scheme):
    see(scheme=scheme)
    script = """
      const lit = (c) => { const v = c / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
      const light = (rgb) => { const [r, g, b] = rgb.match(/[0-9.]+/g).map(Number); return 0.2126 * lit(r) + 0.7152 * lit(g) + 0.0722 * lit(b); };
      const ground = light(getComputedStyle(document.body).backgroundColor);
      return ["body", ".lede", ".lead tbody a", ".sd", "thead button", ".notes p", ".chips"].map((css) => {
        const text = light(getComputedStyle(document.querySelector(css)).color);
        return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      });
    """
    assert min(browser.execute_script(script)) >= 4.5


def test_hostile_names_run_nothing(browser, see, bad_site):
    for page in (
        "index.html",
        "runs/index.html",
        *sorted(p.relative_to(bad_site).as_posix() for p in bad_site.glob("methods/*")),
    ):
        see(page, folder=bad_site)
        assert browser.execute_script("return window.pwned === undefined && !document.querySelector('img')")
    see(folder=bad_site)
    for link in points(browser):
        browser.execute_script("arguments[0].focus()", link)
    assert browser.execute_script("return window.pwned === undefined && !document.querySelector('img')")
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_without_scripts_every_number_is_there_and_no_dead_control(browser, site):
    emulate(browser, DESKTOP, "light")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((site / "index.html").as_uri())
        assert "52.0" in one(browser, ".lead tbody").text
        assert not one(browser, "input[type=search]").is_displayed()
        assert not one(browser, "button.theme").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
