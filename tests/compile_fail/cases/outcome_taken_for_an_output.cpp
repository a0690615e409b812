// expect: conversion from .*outcome|no viable conversion
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  const receipt placed = co_await ctx.try_call<place>(in);
#else
  const receipt placed = co_await ctx.call<place>(in);
#endif
  co_return receipt{in.id};
});
