#!/usr/bin/env python3
"""scripts/await_lint on snippets: what it must find, and what it must leave alone."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

AWAIT_LINT = pathlib.Path(__file__).resolve().parent.parent / 'scripts' / 'await_lint'


def lint(*files):
    return subprocess.run([sys.executable, AWAIT_LINT, *files], capture_output=True, text=True)


def lint_body(body):
    """The output for a coroutine with this body, without the file's name."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, 'snippet.cpp')
        file.write_text(f'task<receipt> run(steps& ctx, const order& in) {{\n{body}\n}}\n')
        return lint(file).stdout.replace(f'{file}:', '')


class AwaitLintTest(unittest.TestCase):
    def assert_finds(self, body, *expected):
        self.assertEqual(lint_body(body).splitlines(), list(expected))

    def test_braces(self):
        found = '2: braces in a statement with co_await'
        self.assert_finds('co_await ctx.call<place>(order{in.id, 1.0});', found)
        self.assert_finds('co_await ctx.call<place>({in.id, 1.0});', found)
        self.assert_finds('co_return receipt{co_await ctx.call<ship>(in.id)};', found)
        self.assert_finds('order copy{co_await ctx.call<place>(in), 1.0};', found)

    def test_ternary(self):
        found = '2: a ternary in a statement with co_await'
        self.assert_finds('co_await ctx.call<place>(urgent ? first : second);', found)
        self.assert_finds('auto id = urgent ? co_await ctx.call<place>(in) : in.id;', found)

    def test_capture_by_value(self):
        found = '2: a lambda that captures by value in a statement with co_await'
        self.assert_finds('co_await ctx.transaction([id](activity_context& tx) { tx.step(); });', found)
        self.assert_finds('co_await ctx.transaction([=](activity_context& tx) { tx.step(); });', found)
        self.assert_finds('co_await ctx.transaction([&, id](activity_context& tx) { tx.step(); });', found)
        self.assert_finds('co_await ctx.transaction([id = in.id](activity_context& tx) { tx.step(); });', found)

    def test_bare_condition(self):
        for keyword in 'if', 'while', 'switch':
            self.assert_finds(f'{keyword} (co_await ctx.call<check>(in)) {{ }}',
                              f'2: co_await in the condition of {keyword}: name the result first')
        self.assert_finds('for (int i = 0; co_await ctx.call<check>(i); ++i) { }',
                          '2: co_await in the condition of for: name the result first')
        self.assert_finds('do { ++n; } while (co_await ctx.call<check>(n));',
                          '2: co_await in the condition of while: name the result first')

    def test_finds_inside_nested_blocks_and_lambdas(self):
        in_try = 'for (auto& o : all) {\n  try {\n    co_await ctx.call<place>(order{o.id});\n  } catch (...) {\n  }\n}'
        in_lambda = 'auto part = [](steps& ctx) -> task<> {\n  co_await ctx.call<place>(order{"1"});\n};'
        self.assert_finds(in_try, '4: braces in a statement with co_await')
        self.assert_finds(in_lambda, '3: braces in a statement with co_await')

    def test_leaves_alone(self):
        for body in ('const order copy{in.id, 1.0};\nco_await ctx.call<place>(copy);',
                     'co_await ctx.call<place>(in.id, 1.0);',
                     'co_await ctx.transaction([&](activity_context& tx) { tx.send(happened{in.id}); });',
                     'co_await ctx.transaction([&](activity_context&) -> receipt { return urgent ? one : receipt{}; });',
                     'if (auto placed = co_await ctx.try_call<place>(in)) co_return receipt{in.id};',
                     'if (auto n = co_await ctx.call<count>(in); n > 1) { }',
                     'for (const auto& id : co_await ctx.call<list>(in)) { }',
                     'const auto [id, amount] = co_await ctx.call<both>(in);',
                     'const auto id = urgent ? first : second;',
                     'auto later = [id] { return id; };',
                     'const auto first = list[0] + co_await ctx.call<count>(in);',
                     '// co_await ctx.call<place>(order{in.id});',
                     'log("co_await {}", R"x(co_await {"a"} ? 1)x");',
                     '#define PLACE(id) \\\n  co_await ctx.call<place>(order{id})'):
            with self.subTest(body):
                self.assert_finds(body)

    def test_exit_code(self):
        with tempfile.TemporaryDirectory() as directory:
            good, bad = pathlib.Path(directory, 'good.cpp'), pathlib.Path(directory, 'bad.cpp')
            good.write_text('task<> run() { co_await step(1); }\n')
            bad.write_text('task<> run() { co_await step({1}); }\n')
            self.assertEqual(lint(good).returncode, 0)
            self.assertEqual(lint(good, bad).returncode, 1)
            self.assertEqual(lint(good, bad).stdout, f'{bad}:1: braces in a statement with co_await\n')
            self.assertNotEqual(lint().returncode, 0)


if __name__ == '__main__':
    unittest.main()
