from engine.scenario_file import read_scenario
from engine.scenarios import Stage
from dataclasses import replace
from tests.web_reader import app_of
from tests.browser.people import Sitter
from pathlib import Path
pytest_plugins = ["tests.furnished"]
def test_x(new_office, serve, browser_page, screenshot):
    office = new_office("sqlite")
    text = Path("bpmn/library/diligence_exemption_review/scenarios/p3-01.yaml").read_text()
    scenario = read_scenario(text, "x")
    stage = Stage(scenario, office.clock); office.clock.instant = scenario.now
    stage.database = office.database
    stage.set()
    stage.earlier["deal"] = stage.play(scenario.before[0])
    course = replace(scenario.course, steps=())
    case = stage.play(course)
    office.who |= stage.persons
    s = Sitter(browser_page, serve(app_of(office)))
    s.sign_in("合规褚")
    s.go("/inbox")
    s.page.get_by_role("link", name="缺口核查", exact=True).click()
    s.page.wait_for_timeout(1500)
    screenshot(s.page, "gap")
    stage.do(case, "gap_check", "合规褚", {"items":[{"fact":"F-DD-06","status":"late","note":"补录"}]})
    s.go("/inbox"); s.page.get_by_role("link", name="负面清单核查", exact=True).click(); s.page.wait_for_timeout(1500); screenshot(s.page, "neg")
    stage.do(case, "negative_list_check", "合规褚", {"items":[{"code":"NL-13","hit":True,"severity":"minor","evidence":"附件日期"}]})
    stage.do(case, "illegal_gain_check", "纪检蒋", {})
    stage.do(case, "appoint_panel", "合规褚", {"panel": ["评议沈","评议韩","评议杨"], "chair": "评议沈"})
    s.sign_in("评议沈"); s.go("/inbox"); s.page.get_by_role("link", name="评议意见", exact=True).click(); s.page.wait_for_timeout(1500); screenshot(s.page, "op")
    for n in ("评议沈","评议韩","评议杨"): stage.do(case, "panel_opinion", n, {})
    s.go("/inbox"); s.page.get_by_role("link", name="评议结论", exact=True).click(); s.page.wait_for_timeout(1500); screenshot(s.page, "concl")
    stage.do(case, "panel_conclusion", "评议沈", {})
    stage.do(case, "tier_approve", "办公会朱", {})
    stage.do(case, "notify_persons", "合规褚", {})
    stage.step(case, replace(scenario.course.steps[-1]))
    s.sign_in("合规褚"); s.go(f"/cases/{case}"); s.page.wait_for_timeout(1500); screenshot(s.page, "case")
    s.sign_in("审计处陈"); s.go("/processes/diligence_exemption_review/application"); s.page.wait_for_timeout(1000); screenshot(s.page, "start")
    from engine import inbox, documents
    with office.database.look(office.who["合规褚"]) as work:
        for d in inbox.documents(work, case):
            row, data = documents.read(work, d["id"])
            Path("/tmp/dev/p3/docs").mkdir(exist_ok=True)
            Path("/tmp/dev/p3/docs/"+d["name"]).write_bytes(data)
