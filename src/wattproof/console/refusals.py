"""Why the console refuses to sign somebody in, to keep an account, or to sign a draft."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import (
    Conflict,
    ErrorCode,
    Malformed,
    NotFound,
    OverLimit,
    Unauthorised,
)

__all__ = [
    "FORGED",
    "LOCKED",
    "LOGIN_FORM",
    "LOGIN_TAKEN",
    "NOT_SIGNED_IN",
    "NO_DRAFT",
    "NO_KEY",
    "OTHER_CONTENT",
    "PASSWORD_FORM",
    "TOO_OFTEN",
    "WRONG_PASSWORD",
]


class TooOften(OverLimit):
    """The same again, sooner than allowed."""

    http_status = 429


NOT_SIGNED_IN: Final = ErrorCode(
    Unauthorised,
    "console.sign_in",
    en="The name or the password is not right.",
    zh="用户名或密码不正确。",
)
WRONG_PASSWORD: Final = ErrorCode(
    Unauthorised,
    "console.password",
    en="The present password is not right.",
    zh="当前密码不正确。",
)
LOCKED: Final = ErrorCode(
    TooOften,
    "console.locked",
    en="Too many wrong passwords: try again in {minutes} min.",
    zh="密码错误次数过多，请在 {minutes} 分钟后重试。",
)
TOO_OFTEN: Final = ErrorCode(
    TooOften,
    "console.sign_in_rate",
    en="Too many attempts to sign in from here; try again in {seconds} s.",
    zh="此处登录尝试过于频繁，请在 {seconds} 秒后重试。",
)
LOGIN_TAKEN: Final = ErrorCode(
    Conflict, "console.login_taken", en="The name {login} is taken.", zh="用户名 {login} 已被使用。"
)
LOGIN_FORM: Final = ErrorCode(
    Malformed,
    "console.login_form",
    en="A user's name has 1 to 64 letters, digits, points, hyphens or underscores.",
    zh="用户名须为 1 至 64 个字母、数字、点、连字符或下划线。",
)
PASSWORD_FORM: Final = ErrorCode(
    Malformed,
    "console.password_form",
    en="A password has {least} to {most} characters.",
    zh="密码长度须为 {least} 至 {most} 个字符。",
)
NO_KEY: Final = ErrorCode(
    Conflict,
    "console.no_key",
    en="Your signing key is not kept here; sign outside and hand the transaction in.",
    zh="您的签名密钥不在此处保管；请在外部签名后提交交易。",
)
FORGED: Final = ErrorCode(
    Unauthorised,
    "console.form",
    en="This form does not come from your session here; load the page again and retry.",
    zh="该表单不属于您在此处的会话，请重新打开页面后再试。",
)
NO_DRAFT: Final = ErrorCode(
    NotFound,
    "console.no_draft",
    en="There is nothing of yours to sign here any more; fill the form in again.",
    zh="此处已没有待您签名的内容，请重新填写表单。",
)
OTHER_CONTENT: Final = ErrorCode(
    Malformed,
    "console.other_content",
    en="What was handed in is another transaction than the one shown here.",
    zh="提交的交易与此处显示的内容不一致。",
)
