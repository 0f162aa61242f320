import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteBudget } from './byte-budget.ts';

test('the request that crosses the limit is taken, then everybody waits until bytes come back', () => {
  const budget = new ByteBudget(100);
  let resumed = 0;
  const resume = (): void => {
    resumed += 1;
  };
  budget.take(90);
  assert.equal(budget.exhausted, false);
  budget.take(50);
  assert.equal(budget.exhausted, true);
  budget.whenFree(resume);
  budget.release(20);
  assert.equal(resumed, 0, 'the limit is still reached');
  budget.release(50);
  assert.equal(resumed, 1);
  budget.release(70);
  assert.equal(resumed, 1, 'called once');
  assert.equal(budget.held, 0);
});

test('who was closed is not called', () => {
  const budget = new ByteBudget(1);
  budget.take(1);
  const resume = (): void => assert.fail('it is gone');
  budget.whenFree(resume);
  budget.forget(resume);
  budget.release(1);
});

test('without a limit nothing exhausts it', () => {
  const budget = new ByteBudget(Infinity);
  budget.take(Number.MAX_SAFE_INTEGER);
  assert.equal(budget.exhausted, false);
});
